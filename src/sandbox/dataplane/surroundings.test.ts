/**
 * What hosts find around them, with real packets and real processes: names inside of a VPC and over a peering,
 * metadata, user data that serves, fails, never ends, and runs again after a restart. Skipped where the machine
 * does not let packets obey the state.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  AcceptVpcPeeringConnectionCommand,
  CreateVpcPeeringConnectionCommand,
  type EC2Client,
  ModifyVpcAttributeCommand,
  ModifyVpcPeeringConnectionOptionsCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { settings } from "../settings.ts";
import { DrivenClock, startSandbox } from "../testing.ts";
import { makeInternetGateway, makeSubnet, makeVpc } from "../testNetwork.ts";
import { TOOLS_PATH } from "./holder.ts";
import { consoleOf, gone, turn } from "./testing/consoles.ts";

const { instancePendingMs, instanceTerminatingMs, peeringProvisioningMs } = settings("quick");
const REGION = "eu-west-1";
const AT = { timeout: 60_000 };

const clock = new DrivenClock();
/** Long enough for any pause before the data plane tries again, and too short for a program to seem hung. */
const PAUSE_MS = 20_000;
const sandbox = await startSandbox({
  packets: true,
  clock,
  log: (line) => void (/it is tried again/.test(line) && setImmediate(() => clock.advance(PAUSE_MS))),
});
after(() => sandbox.close());
const status = sandbox.dataPlane?.status();
const skip = status?.status === "on" ? false : `no packets on this machine: ${status?.why}`;

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in the host. */
async function runIn(id: string, command: readonly string[], on = sandbox): Promise<Ran> {
  const { dataPlane } = on;
  assert.ok(dataPlane);
  const [program = "", ...rest] = [...(await dataPlane.inside(id)), ...command];
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], env: { PATH: TOOLS_PATH } });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  child.once("close", resolve);
  return { code: await promise, stdout: stdout.trim(), stderr: stderr.trim() };
}

const node = (id: string, code: string, on = sandbox) => runIn(id, ["node", "-e", code], on);
const getent = (id: string, name: string, options = "timeout:5 attempts:3") =>
  runIn(id, ["env", `RES_OPTIONS=${options}`, "getent", "ahostsv4", name]);

/** The address that the host finds for the name; undefined when there is none. */
async function addressFor(id: string, name: string, options?: string): Promise<string | undefined> {
  const { code, stdout } = await getent(id, name, options);
  return code === 0 ? stdout.split(/\s/, 1)[0] : undefined;
}

interface Launch {
  readonly script?: string;
  readonly isPublic?: boolean;
}

/** A running instance whose surroundings are there. */
async function launch(client: EC2Client, SubnetId: string, { script, isPublic = false }: Launch = {}) {
  const { Instances } = await client.send(
    new RunInstancesCommand({
      ImageId: "ami-12345678",
      MinCount: 1,
      MaxCount: 1,
      NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, AssociatePublicIpAddress: isPublic }],
      ...(script === undefined ? {} : { UserData: Buffer.from(script).toString("base64") }),
    }),
  );
  const [made] = Instances ?? [];
  sandbox.clock.advance(instancePendingMs);
  await sandbox.dataPlane?.settled();
  const id = made?.InstanceId ?? "";
  await consoleOf(client, id, /user data/);
  return { id, ip: made?.PrivateIpAddress ?? "", publicIp: made?.PublicIpAddress ?? "" };
}

async function terminate(client: EC2Client, id: string): Promise<void> {
  await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  sandbox.clock.advance(instanceTerminatingMs);
  await sandbox.dataPlane?.settled();
}

async function named(client: EC2Client, VpcId: string): Promise<void> {
  await client.send(new ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: true } }));
}

const privateName = (ip: string) => `ip-${ip.replaceAll(".", "-")}.${REGION}.compute.internal`;
const publicName = (ip: string) => `ec2-${ip.replaceAll(".", "-")}.${REGION}.compute.amazonaws.com`;

describe("hosts", { skip }, () => {
  const ours = sandbox.client("111111111111", REGION);
  const theirs = sandbox.client("222222222222", REGION);
  let vpcId: string;
  let subnetId: string;
  let theirVpcId: string;
  let theirSubnetId: string;
  let host: Awaited<ReturnType<typeof launch>>;
  let peer: Awaited<ReturnType<typeof launch>>;

  before(async () => {
    vpcId = await makeVpc(ours, "10.1.0.0/16");
    subnetId = await makeSubnet(ours, vpcId, "10.1.0.0/24");
    await makeInternetGateway(ours, vpcId);
    theirVpcId = await makeVpc(theirs, "10.2.0.0/16");
    theirSubnetId = await makeSubnet(theirs, theirVpcId, "10.2.0.0/24");
    await Promise.all([named(ours, vpcId), named(theirs, theirVpcId)]);
    host = await launch(ours, subnetId, { isPublic: true });
    peer = await launch(theirs, theirSubnetId);
  });

  test("a host has its own name, files and address, may ping, and has no other rights", AT, async () => {
    const { stdout } = await runIn(host.id, [
      "sh",
      "-c",
      "hostname; cat /etc/hosts; grep CapEff /proc/self/status",
    ]);
    assert.deepEqual(stdout.split("\n"), [
      privateName(host.ip),
      "127.0.0.1 localhost",
      `${host.ip} ${privateName(host.ip)} ${privateName(host.ip).split(".", 1)[0]}`,
      "CapEff:\t0000000000002000", // raw sockets
    ]);
    assert.equal((await runIn(host.id, ["ping", "-n", "-c", "1", host.ip])).code, 0);
    const { code } = await runIn(host.id, ["ip", "link", "set", "eth0", "down"]);
    assert.notEqual(code, 0);
    const missing = await runIn(host.id, ["no-such-command"]);
    assert.equal(missing.code, 127);
    assert.match(missing.stderr, /no-such-command/);
  });

  test("names of its VPC, in full and short, over UDP and TCP, by both addresses", AT, async () => {
    const other = await launch(ours, subnetId);
    const name = privateName(host.ip);
    assert.equal(await addressFor(other.id, name), host.ip);
    assert.equal(await addressFor(other.id, name.split(".", 1)[0] ?? ""), host.ip);
    assert.equal(await addressFor(other.id, name, "use-vc timeout:5"), host.ip);
    assert.equal(await addressFor(other.id, publicName(host.publicIp)), host.ip);
    const { code, stdout } = await getent(other.id, privateName("10.1.0.99"));
    assert.deepEqual([code, stdout], [2, ""]);
    const asked = `const r = new dns.promises.Resolver({ timeout: 5000 });
      r.setServers(["10.1.0.2"]);
      r.reverse("${host.ip}").then(console.log);
      r.resolve4("${privateName("10.1.0.99")}").catch((e) => console.log(e.code));
      r.resolve6("${name}").catch((e) => console.log(e.code));`;
    const said = (await node(other.id, asked)).stdout.split("\n").sort();
    assert.deepEqual(said, ["ENODATA", "ENOTFOUND", `[ '${name}' ]`]);
    await terminate(ours, other.id);
  });

  test("names of a peer, without the option and with it", AT, async () => {
    const { VpcPeeringConnection } = await theirs.send(
      new CreateVpcPeeringConnectionCommand({
        VpcId: theirVpcId,
        PeerVpcId: vpcId,
        PeerOwnerId: "111111111111",
      }),
    );
    const VpcPeeringConnectionId = VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
    await ours.send(new AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
    sandbox.clock.advance(peeringProvisioningMs);
    assert.equal(await addressFor(peer.id, publicName(host.publicIp)), host.publicIp);
    assert.equal(await addressFor(peer.id, privateName(host.ip)), undefined);
    const AccepterPeeringConnectionOptions = { AllowDnsResolutionFromRemoteVpc: true };
    await ours.send(
      new ModifyVpcPeeringConnectionOptionsCommand({
        VpcPeeringConnectionId,
        AccepterPeeringConnectionOptions,
      }),
    );
    assert.equal(await addressFor(peer.id, publicName(host.publicIp)), host.ip);
    assert.equal(await addressFor(peer.id, privateName(host.ip)), host.ip);
    assert.equal(await addressFor(host.id, privateName(peer.ip)), undefined);
  });

  test("a VPC without DNS support has no answer", AT, async () => {
    const silent = await makeVpc(ours, "10.3.0.0/16");
    const { id, ip } = await launch(ours, await makeSubnet(ours, silent, "10.3.0.0/24"));
    const off = { VpcId: silent, EnableDnsSupport: { Value: false } };
    await ours.send(new ModifyVpcAttributeCommand(off));
    const asked = `const r = new dns.promises.Resolver({ timeout: 300, tries: 1 });
      r.setServers(["169.254.169.253"]);
      r.resolve4("${privateName(ip)}").catch((e) => console.log(e.code));`;
    assert.equal((await node(id, asked)).stdout, "ETIMEOUT");
  });

  test("its metadata, by a session and without", AT, async () => {
    const asked = `(async () => {
      const at = "http://169.254.169.254/latest/";
      const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };
      const token = await (await fetch(at + "api/token", { method: "PUT", headers: ttl })).text();
      const get = async (path, headers = {}) => (await fetch(at + path, { headers })).text();
      console.log(await get("meta-data/instance-id"));
      console.log(await get("meta-data/local-ipv4", { "x-aws-ec2-metadata-token": token }));
      console.log((await fetch(at + "meta-data/iam/security-credentials/")).status);
    })()`;
    assert.deepEqual((await node(host.id, asked)).stdout.split("\n"), [host.id, host.ip, "404"]);
    assert.deepEqual((await node(peer.id, asked)).stdout.split("\n"), [peer.id, peer.ip, "404"]);
  });

  test("user data serves on the private address", AT, async () => {
    const script = `#!/usr/bin/env node
const server = require("node:http").createServer((_, response) => response.end(require("node:os").hostname()));
server.listen(80, () => console.log("serving"));
`;
    const served = await launch(ours, subnetId, { script });
    assert.match(await consoleOf(ours, served.id, /serving|has ended/), /serving/);
    const asked = `fetch("http://${served.ip}/").then((r) => r.text()).then(console.log)`;
    assert.equal((await node(host.id, asked)).stdout, privateName(served.ip));
    await terminate(ours, served.id);
  });

  test("user data that fails says how, and the host lives on", AT, async () => {
    const failed = await launch(ours, subnetId, { script: "#!/bin/sh\necho out; echo err >&2; exit 3\n" });
    const text = await consoleOf(ours, failed.id, /has ended/);
    assert.match(text, /out\n/);
    assert.match(text, /err\n/);
    assert.match(text, /user data has ended: exit code 3\n$/);
    assert.equal((await runIn(failed.id, ["hostname"])).code, 0);
    const missing = await launch(ours, subnetId, { script: "#!/no/such/program\n" });
    assert.match(await consoleOf(ours, missing.id, /has ended/), /exit code 127/);
    const none = await launch(ours, subnetId, { script: "#cloud-config\n" });
    assert.match(await consoleOf(ours, none.id, /user data/), /it is kept, and not run/);
  });

  test("what user data left running ends with the instance, however often it forks", AT, async () => {
    const folder = mkdtempSync(join(tmpdir(), "hosts-"));
    const file = join(folder, "beats");
    // No process of it lives for long: each starts the next one and ends.
    const script = `#!/bin/sh
chain() { echo >> ${file}; chain & }
for i in 1 2 3 4 5 6 7 8; do chain; done
echo began
`;
    const beats = () => statSync(file).size;
    try {
      const forking = await launch(ours, subnetId, { script });
      await consoleOf(ours, forking.id, /began\n.*has ended: exit code 0/s);
      const before = beats();
      while (beats() < before + 10) await turn();
      await terminate(ours, forking.id);
      const left = beats();
      for (let passed = 0; passed < 20; passed++) await sandbox.dataPlane?.run("true");
      assert.equal(beats(), left);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("user data that never ends is ended with the instance, and the console says so", AT, async () => {
    const endless = await launch(ours, subnetId, { script: "#!/bin/sh\necho began\nwhile :; do :; done\n" });
    await consoleOf(ours, endless.id, /began/);
    await terminate(ours, endless.id);
    await consoleOf(ours, endless.id, /user data was ended with its host\n$/);
  });

  test("when the namespaces are lost, hosts boot again and find the same around them", AT, async () => {
    const [, , holder] = sandbox.dataPlane?.entry(host.id) ?? [];
    process.kill(Number(holder), "SIGKILL");
    await gone(holder);
    await sandbox.dataPlane?.settled();
    await Promise.all(
      [host, peer].map(({ id }, at) => consoleOf(at === 0 ? ours : theirs, id, /is up.*is up/s)),
    );
    assert.equal(await addressFor(host.id, privateName(host.ip)), host.ip);
    assert.equal(await addressFor(peer.id, publicName(host.publicIp)), host.ip);
  });

  test("only the last 64 KiB stay on the console", AT, async () => {
    const script = "#!/bin/sh\nhead -c 200000 /dev/zero | tr '\\0' x\necho; echo done\n";
    const loud = await launch(ours, subnetId, { script });
    const text = await consoleOf(ours, loud.id, /done\n.*has ended/s);
    assert.equal(Buffer.byteLength(text), 64 * 1024);
  });
});
