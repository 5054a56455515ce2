/**
 * What goes wrong around a data plane: its namespaces are killed, a tool refuses or hangs, a second sandbox has the
 * same addresses, no byte can be written, it is stopped in the middle of a change. Packets flow again, or still do,
 * and nothing is left behind.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import * as ec2 from "@aws-sdk/client-ec2";
import type { Programs } from "../../src/sandbox/dataplane/program.ts";
import { programsOf } from "../../src/sandbox/dataplane/programs.ts";
import { DrivenClock } from "../../src/sandbox/testing.ts";
import { makeSubnet, makeVpc } from "../../src/sandbox/testNetwork.ts";
import { lives, until } from "./checks.ts";
import { outside } from "./leftovers.ts";
import { PacketNetwork, SERVER, WAIT_MS } from "./packetNetwork.ts";
import { reworded } from "./sabotage.ts";
import { ServedSandbox } from "./servedSandbox.ts";
import { ELSEWHERE, SmallNetwork, THERE } from "./smallNetwork.ts";

const before = outside();
const network = await PacketNetwork.open();
after(() => network.close());
const { off: skip } = network;

const untilSaid = (what: RegExp, log: readonly string[]) =>
  until(`the log says ${what}`, async () => {
    await turn();
    return log.some((line) => what.test(line));
  });

describe("what goes wrong around packets", { skip }, () => {
  test("a program that the tools refuse costs its own VPC the packets, until it is right", async () => {
    const held = await network.hold("B.client", `tcp ${SERVER}:80`);
    network.breakBy(reworded(network.vpc("D").id, "chain edge {", "chain edge { nonsense"));
    await untilSaid(new RegExp(`${network.vpc("D").id}: .*nonsense`, "s"), network.log);
    await assert.rejects(network.plane.settled(), /packets do not obey the state: .*nonsense/s);
    await lives(held, "nobody else's connection ends");
    assert.equal(await network.flow("A.one", "icmp 10.1.10.22", "answered"), "answered");
    const { stdout } = await network.plane.run("ip netns list");
    assert.doesNotMatch(stdout, new RegExp(network.vpc("D").host("open").id));
    await network.mend();
    assert.equal(await network.flow("D.open", `icmp ${SERVER}`, "answered"), "answered");
    await lives(held, "still");
  });

  test("namespaces that somebody kills are there again, and all that was in them", async () => {
    const entry = network.plane.entry("internet");
    const first = Number(entry[entry.indexOf("-t") + 1]);
    process.kill(first, "SIGKILL");
    await untilSaid(/namespaces have ended/, network.log);
    await network.plane.settled();
    assert.equal(await network.flow("A.broker0", `icmp ${SERVER}`, "answered"), "answered");
    assert.equal(await network.flow("D.open", `icmp ${SERVER}`, "answered"), "answered");
    assert.equal(await network.flow("A.open", "icmp 10.1.10.21", "silent"), "silent");
  });

  test("a tool that hangs is given up, and all is made anew", async () => {
    const clock = new DrivenClock();
    let isHanging = false;
    const programs = (topology: Parameters<typeof programsOf>[0]) =>
      isHanging ? hanging(programsOf(topology)) : programsOf(topology);
    const small = await SmallNetwork.open({ clock, programs });
    try {
      await small.build();
      await small.plane.settled();
      isHanging = true;
      await small.addHost(ELSEWHERE);
      // Whatever begins to wait after the clock was moved waits for the next time.
      await until("it is given up", async () => {
        clock.advance(60_000);
        await turn();
        return small.log.some((line) => /hung for \d+ s/.test(line));
      });
      isHanging = false;
      const settled = small.plane.settled();
      clock.advance(60_000);
      await settled;
      assert.ok(await small.pings(THERE));
      assert.ok(await small.pings(ELSEWHERE));
    } finally {
      await small.close();
    }
  });

  test("two sandboxes with the same addresses know nothing of each other", async () => {
    const [one, other] = await Promise.all([SmallNetwork.open(), SmallNetwork.open()]);
    try {
      await Promise.all([one.build(), other.build()]);
      await other.addHost(ELSEWHERE);
      await Promise.all([one.plane.settled(), other.plane.settled()]);
      assert.deepEqual(await Promise.all([one, other].map((small) => small.pings(THERE))), [true, true]);
      assert.ok(await other.pings(ELSEWHERE));
      assert.equal(await one.pings(ELSEWHERE, WAIT_MS.lost), false);
      await one.close();
      assert.ok(await other.pings(THERE));
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  });

  test("one that is stopped in the middle of a change begins where it ended", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "letsdata-stopped-"));
    try {
      const first = await SmallNetwork.open({ dataDir });
      await first.build();
      await first.close();
      const second = await SmallNetwork.open({ dataDir });
      await second.plane.settled();
      const hosts = second.plane.topology().hosts.map(({ id }) => id);
      assert.equal(hosts.length, 2);
      for (const host of hosts)
        assert.equal((await second.plane.run(`ping -c 1 -W 20 ${THERE}`, host)).code, 0);
      await second.close();
    } finally {
      rmSync(dataDir, { recursive: true });
    }
    assert.deepEqual(outside(), before);
  });

  test("where not one byte can be written to a file there are packets", async () => {
    const sandbox = await ServedSandbox.start({ under: ["prlimit", "--fsize=0"] });
    try {
      assert.equal(await sandbox.off(), false);
      const { client } = sandbox;
      const SubnetId = await makeSubnet(client, await makeVpc(client));
      const two = { ImageId: "ami-12345678", MinCount: 2, MaxCount: 2, SubnetId };
      await client.send(new ec2.RunInstancesCommand(two));
      const [one, other] = await sandbox.hosts();
      assert.ok(one && other);
      assert.ok(await sandbox.pings(one.id, other.addresses[0]?.privateIp ?? ""));
    } finally {
      await sandbox.kill();
    }
  });
});

/** Every namespace's last command never ends. */
function hanging({ namespaces, links }: Programs): Programs {
  const never = {
    key: "never",
    tool: "sysctl",
    add: "net/ipv4/ip_forward 1; tail -f /dev/null; echo 1",
  } as const;
  return { namespaces: namespaces.map((one) => ({ ...one, objects: [...one.objects, never] })), links };
}
