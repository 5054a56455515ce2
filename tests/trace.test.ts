/**
 * `letsdata sandbox trace` with real packets: each verdict names what AWS's own answers call the rule, the list's
 * entry, the route or the gateway that made it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { Step } from "../src/sandbox/dataplane/traceEvidence.ts";
import { type HostsSandbox, hostsSandbox, withoutPackets } from "./support/hosts.ts";

interface Told {
  readonly exit: number | null;
  readonly arrived: boolean;
  readonly answered: boolean;
  readonly steps: readonly Step[];
  readonly back: readonly Step[];
}

const skip = withoutPackets();
if (skip) console.error(`SKIPPED: ${skip}`);

describe("a trace", { skip }, () => {
  let sandbox: HostsSandbox;
  before(async () => {
    sandbox = await hostsSandbox();
  });
  after(() => sandbox?.close());

  async function trace(...words: readonly string[]): Promise<Told> {
    const { code, stdout, stderr } = await sandbox.ran("trace", ...words);
    assert.equal(stderr, "");
    return { exit: code, ...JSON.parse(stdout) };
  }

  const briefly = (steps: readonly Step[]) =>
    steps.map(({ place, check, verdict, by }) => [
      place,
      check,
      ...(verdict === "dropped" ? ["dropped"] : []),
      by,
    ]);
  const end = ({ steps }: Told) => briefly(steps).at(-1);

  test("over a peering names route, list and rule on both sides, and follows the answer home", async () => {
    const { customer, platform, client, broker, privateTable, platformMain, list, platforms, rule } =
      sandbox.network;
    const told = await trace(client, "10.1.0.10", "tcp", "7000");
    assert.deepEqual([told.exit, told.arrived, told.answered], [0, true, true]);
    const [aclOut, groupOut] = [told.steps[2]?.by, told.steps[3]?.by];
    assert.match(aclOut ?? "", /^acl-\w+ 100$/);
    assert.match(groupOut ?? "", /^sg-\w+ sgr-\w+$/);
    assert.deepEqual(briefly(told.steps), [
      [client, "sent", null],
      [customer, "route", `${privateTable} 10.1.0.0/16`],
      [customer, "acl out", aclOut],
      [customer, "group out", groupOut],
      [platform, "route", "local"],
      [platform, "acl in", `${list} 100`],
      [platform, "group in", `${platforms} ${rule}`],
      [broker, "taken", null],
    ]);
    assert.deepEqual(briefly(told.back), [
      [broker, "sent", null],
      [platform, "route", `${platformMain} 10.0.0.0/16`],
      [platform, "acl out", `${list} 100`],
      [platform, "group out", null],
      [customer, "route", "local"],
      [customer, "acl in", aclOut],
      [customer, "group in", null],
      [client, "taken", null],
    ]);
  });

  test("that no security group's rule allows ends at the group, whatever the protocol", async () => {
    const { platform, client } = sandbox.network;
    const traces = await Promise.all([
      trace(client, "10.1.0.10", "tcp", "6999"),
      trace(client, "10.1.0.10", "udp", "7000"),
      trace(client, "10.1.0.10", "icmp"),
    ]);
    for (const told of traces) {
      assert.equal(told.exit, 1);
      assert.deepEqual(end(told), [platform, "group in", "dropped", null]);
    }
  });

  test("that a list denies ends at its entry", async () => {
    const { platform, client, list } = sandbox.network;
    assert.deepEqual(end(await trace(client, "10.1.0.10", "tcp", "7100")), [
      platform,
      "acl in",
      "dropped",
      `${list} 50`,
    ]);
  });

  test("whose answer a list denies has arrived, and says where the answer ends", async () => {
    const { platform, shop, list } = sandbox.network;
    const told = await trace(shop, "10.1.0.10", "tcp", "7000");
    assert.deepEqual([told.exit, told.arrived, told.answered], [0, true, false]);
    assert.deepEqual(briefly(told.back).at(-1), [platform, "acl out", "dropped", `${list} 60`]);
  });

  test("into a black hole, to nowhere and to an unused address ends at the route", async () => {
    const { customer, platform, client, broker, privateTable, platformMain } = sandbox.network;
    const [hole, nowhere, unused] = await Promise.all([
      trace(client, "10.9.0.1", "tcp", "80"),
      trace(broker, "192.0.2.9", "udp", "53"),
      trace(client, "10.0.1.99", "icmp"),
    ]);
    assert.deepEqual(end(hole), [customer, "route", "dropped", `${privateTable} 10.9.0.0/16`]);
    assert.deepEqual(end(nowhere), [platform, "route", "dropped", platformMain]);
    assert.deepEqual(end(unused), [customer, "route", "dropped", "local"]);
  });

  test("to the internet passes the NAT gateway, and comes home through it", async () => {
    const { customer, client, natGateway, natIp } = sandbox.network;
    for (const protocol of [["tcp", "443"], ["icmp"]]) {
      const told = await trace(client, "192.0.2.9", ...protocol);
      assert.deepEqual([told.exit, told.answered], [0, true]);
      assert.equal(told.steps.at(-1)?.says, `as ${natIp}`);
      const places = ({ place, check }: Step) => `${place} ${check}`;
      assert.ok(told.steps.map(places).includes(`${natGateway} host`));
      assert.ok(told.back.map(places).includes(`${natGateway} host`));
      assert.deepEqual(briefly(told.back).at(-1), [client, "taken", null]);
      assert.equal(
        told.steps.filter(({ place, check }) => place === customer && check === "route").length,
        2,
      );
    }
  });

  test("from the internet ends at the group, at the NAT gateway, or where no gateway has the address", async () => {
    const { customer, natGateway, shopIp, natIp } = sandbox.network;
    const [shop, nat, nobody] = await Promise.all([
      trace("internet", shopIp, "tcp", "22"),
      trace("internet", natIp, "tcp", "22"),
      trace("192.0.2.77", "10.0.0.10", "tcp", "22"),
    ]);
    assert.deepEqual(end(shop), [customer, "group in", "dropped", null]);
    assert.deepEqual(end(nat), [natGateway, "host", "dropped", null]);
    assert.deepEqual(end(nobody), ["internet", "route", "dropped", null]);
  });

  test("to the router's own addresses reaches the VPC's resolver and nothing else", async () => {
    const { customer, client } = sandbox.network;
    assert.deepEqual(end(await trace(client, "10.0.0.2", "udp", "53")), [customer, "taken", null]);
    assert.deepEqual(end(await trace(client, "10.0.0.2", "tcp", "80")), [customer, "taken", "dropped", null]);
  });

  test("leaves nothing behind in the namespaces", async () => {
    const { client } = sandbox.network;
    await trace(client, "192.0.2.9", "tcp", "443");
    for (const place of [client, "internet"]) {
      const answer = await fetch(`${sandbox.url}/_sandbox/hosts/${place}`);
      const { argv } = (await answer.json()) as { argv: readonly string[] };
      // Only into the namespaces: what is behind that takes the rights away that looking needs.
      const [program = "", ...entry] = argv.slice(0, argv.indexOf("--") + 1);
      const path = `${process.env.PATH}:/usr/sbin:/sbin`;
      const listing = [...entry, "sh", "-c", "nft list tables && echo listed"];
      const { stdout, stderr } = spawnSync(program, listing, { encoding: "utf8", env: { PATH: path } });
      assert.match(stdout, /listed/, stderr);
      assert.doesNotMatch(stdout, /trace/);
    }
  });

  test("that cannot be asked for says why", async () => {
    const { client } = sandbox.network;
    const wrong: [string[], number, RegExp][] = [
      [
        ["10.1.0.10", "10.0.0.10", "icmp"],
        5,
        /"10\.1\.0\.10" is in several VPCs: write vpc-\w+\/10\.1\.0\.10 or vpc-/,
      ],
      [["i-nobody", "10.0.0.10", "icmp"], 4, /There is no host "i-nobody"/],
      [[client, "i-nobody", "icmp"], 4, /There is no host "i-nobody"/],
      [[client, "10.0.0.10", "icmp", "7"], 2, /ICMP has no ports/],
      [[client, "10.0.0.10", "tcp"], 2, /The port of tcp is a number from 1 to 65535/],
      [[client, "10.0.0.10", "tcp", "65536"], 2, /The port of tcp is a number from 1 to 65535/],
      [[client, "10.0.0.10", "tcp", "http"], 2, /PORT is "http"/],
      [[client, "10.0.0.10", "sctp", "1"], 2, /PROTOCOL is "sctp", but takes tcp, udp, icmp/],
      [[client, "10.0.0.10"], 2, /PROTOCOL is missing/],
    ];
    await Promise.all(
      wrong.map(async ([words, exit, message]) => {
        const { code, stderr } = await sandbox.ran("trace", ...words);
        assert.match(stderr, message);
        assert.equal(code, exit, stderr);
      }),
    );
  });
});
