/**
 * That the silence in packets.test.ts means something: each protection is taken away in turn, and what it forbids
 * then does get through, while before and after it does not.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isDead, lives, until, wholePing } from "./checks.ts";
import { CONTROLS, type Control, UNMARKED } from "./controlTable.ts";
import { type Misuse, misuse, repeer } from "./forbidden.ts";
import { PacketNetwork, WAIT_MS } from "./packetNetwork.ts";
import { unpeer } from "./peerings.ts";
import { all, withoutRule, withSysctl } from "./sabotage.ts";

const network = await PacketNetwork.open();
after(() => network.close());

describe("protections taken away", { skip: network.off }, () => {
  let ids: Misuse;
  before(async () => {
    ids = await misuse(network);
  });

  test("with all of them in place nothing is as without them", () => asItShould());
  for (const control of CONTROLS) test(control.what, () => taken(control));
  test("back in place, they hold", async () => {
    await network.mend();
    await asItShould();
  });

  test("a public address that has moved, where connections are not asked for theirs", async () => {
    const held = await network.hold("internet", "tcp {A.bastion}:22");
    await network.sabotage(withoutRule(network.vpc("A").id, "@public_pair counter name edge drop"));
    await network.vpc("A").associateIp("unnamed", "bastion");
    await network.plane.settled();
    await lives(held, "although the address is another's");
    await network.mend();
    await isDead(held, "after");
  });

  test("a peering in the place of another, where connections bear no mark of theirs", async () => {
    const held = await network.hold("B.client", "tcp 10.1.10.10:9092");
    const unmarked = ["A", "B"] as const;
    await network.sabotage(all(...unmarked.map((vpc) => withoutRule(network.vpc(vpc).id, UNMARKED))));
    await unpeer(network.vpc("A"), ids.ab);
    await network.plane.settled();
    await isDead(held, "while it is gone");
    await repeer(network, ids);
    await lives(held, "although it was cut");
    await network.mend();
    await isDead(held, "after");
  });

  test("the internet, where private addresses are not swallowed", async () => {
    const flow = ["A.broker0", "tcp 10.99.0.1:80"] as const;
    assert.equal(await network.flow(...flow, "silent"), "silent");
    const routes = (await network.run("internet", "ip route show type blackhole")).trim().split("\n");
    for (const route of routes) await network.run("internet", `ip route del ${route}`);
    assert.equal(await network.flow(...flow, "reached"), "reached");
    for (const route of routes) await network.run("internet", `ip route add ${route}`);
  });

  test("a router that takes no packet from itself loses what tells of too large ones", async () => {
    // Each from another host: a host remembers for each destination how much it takes.
    const [tells, silent] = ["A.broker0", "A.broker1"].map((from) => ({
      from,
      to: "192.0.2.50",
      bytes: 3000,
    }));
    assert.ok(tells && silent);
    assert.match(await wholePing(network, tells), /mtu ?= ?1500/);
    await network.sabotage(withSysctl(network.vpc("A").id, "net/ipv4/conf/all/accept_local", 0));
    assert.doesNotMatch(await wholePing(network, { ...silent, waitMs: WAIT_MS.lost }), /mtu/);
    await network.mend();
  });
});

/** Every flow with its protection in place. */
async function asItShould(): Promise<void> {
  const all = CONTROLS.map(async ({ what, from, flow, now = "silent", heard }) => {
    assert.equal(await network.flow(from, flow, now), network.filled(now), what);
    if (heard) assert.equal((await network.heard(heard.by)).includes(heard.whom), false, what);
  });
  await Promise.all(all);
}

async function taken({ sabotage, from, flow, now = "silent", instead = now, heard }: Control): Promise<void> {
  await network.sabotage(sabotage(network));
  assert.equal(await network.flow(from, flow, instead), network.filled(instead));
  if (heard)
    await until(`${heard.by} hears ${heard.whom}`, async () =>
      (await network.heard(heard.by)).includes(heard.whom),
    );
}
