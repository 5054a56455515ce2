import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DeleteTagsCommand, ModifyVpcAttributeCommand } from "@aws-sdk/client-ec2";
import { cidr } from "../../domain/cidr.ts";
import { ACCOUNT, cellIn, handsOn, hurriedClock, networkRef, stepper, wiredSandbox } from "./testing.ts";

const HOME = cellIn("us-east-1");
const AWAY = cellIn("eu-west-1");

const { sandbox, wire, cloud } = await wiredSandbox();

/** A VPC with six subnets, four tables and two groups; the NAT side has no part in counting reads. */
async function furnish(cell: typeof HOME, name: string, range: string): Promise<string> {
  const { act, made } = stepper(cloud, cell, networkRef(name));
  const zones = await cloud.zones(cell);
  const vpcId = await made({ do: "createVpc", key: "vpc", cidr: cidr(`${range}.0/25`) });
  sandbox.clock.advance(5_000);
  await act({ do: "setDnsHostnames", key: "vpc", vpcId });
  for (let index = 0; index < 6; index++) {
    const place = { cidr: cidr(`${range}.${index * 16}/28`), zoneId: zones[index % 3]?.id ?? "" };
    await made({ do: "createSubnet", key: `subnet/x/${index}`, vpcId, ...place });
  }
  for (let index = 0; index < 4; index++)
    await made({ do: "createRouteTable", key: `table/x/${index}`, vpcId });
  for (const group of ["cluster", "peers"])
    await made({ do: "createGroup", key: `group/${group}`, vpcId, name: group, description: group });
  return vpcId;
}

/** How many reads a look at these networks costs. */
async function readsFor(names: readonly string[], hands = cloud): Promise<number> {
  const before = wire.sent.length;
  const worlds = await hands.observe(
    HOME,
    names.map((name) => networkRef(name)),
  );
  assert.equal(worlds.size, names.length);
  const sent = wire.sent.slice(before);
  assert.ok(sent.every((action) => action.startsWith("Describe")));
  return sent.length;
}

describe("observe", () => {
  test("keeps networks and cells apart in one look", async () => {
    const [one, two, far] = [
      await furnish(HOME, "one", "10.5.0"),
      await furnish(HOME, "two", "10.5.1"),
      await furnish(AWAY, "far", "10.5.2"),
    ];
    const refs = ["one", "two", "far"].map((name) => networkRef(name));
    const home = await cloud.observe(HOME, refs);
    const away = await cloud.observe(AWAY, refs);
    const vpcOf = (worlds: typeof home, name: string) => worlds.get(`net-${name}`)?.vpcs.map((vpc) => vpc.id);
    assert.deepEqual([vpcOf(home, "one"), vpcOf(home, "two"), vpcOf(home, "far")], [[one], [two], []]);
    assert.deepEqual([vpcOf(away, "one"), vpcOf(away, "two"), vpcOf(away, "far")], [[], [], [far]]);
    for (const [name, vpcId] of [
      ["one", one],
      ["two", two],
    ] as const) {
      const world = home.get(`net-${name}`);
      assert.ok(world);
      assert.equal(world.subnets.length, 6);
      assert.equal(world.routeTables.length, 5);
      assert.equal(world.groups.length, 3);
      for (const thing of [...world.subnets, ...world.routeTables, ...world.groups, ...world.acls])
        assert.equal(thing.vpcId, vpcId);
    }
  });

  test("sees nothing of another installation's, or of another account's", async () => {
    const stranger = handsOn(wire.url, hurriedClock(sandbox.clock), "999999999999");
    const { look } = stepper(stranger, cellIn("us-east-1", "999999999999"), networkRef("one"));
    assert.equal((await look()).vpcs.length, 0);
    stranger.close();
  });

  test("a VPC that the journal knows is seen without its tags", async () => {
    const vpcId = await furnish(HOME, "bare", "10.5.3");
    const Tags = [{ Key: "letsdata:installation" }, { Key: "letsdata:dataset" }, { Key: "letsdata:key" }];
    await sandbox.client(ACCOUNT, "us-east-1").send(new DeleteTagsCommand({ Resources: [vpcId], Tags }));
    const { look } = stepper(cloud, HOME, networkRef("bare"));
    assert.equal((await look()).vpcs.length, 0);
    const world = await look([vpcId]);
    assert.deepEqual(
      world.vpcs.map((vpc) => [vpc.id, vpc.key]),
      [[vpcId, "vpc"]],
    );
    assert.equal(world.acls.length, 1);
    assert.equal(world.groups.length, 3);
  });

  test("costs at most 13 reads for one network, with and without a memory of it", async () => {
    assert.ok((await readsFor(["one"])) <= 13);
    const newcomer = handsOn(wire.url, hurriedClock(sandbox.clock));
    const first = await readsFor(["one"], newcomer);
    const second = await readsFor(["one"], newcomer);
    const third = await readsFor(["one"], newcomer);
    assert.deepEqual([first, second, third], [13, 13, 12]);
    newcomer.close();
  });

  test("reads what somebody else switched off", async () => {
    const { look } = stepper(cloud, HOME, networkRef("two"));
    assert.equal((await look()).vpcs[0]?.dnsHostnames, true);
    const { vpcs } = await look();
    const off = { VpcId: vpcs[0]?.id ?? "", EnableDnsHostnames: { Value: false } };
    await sandbox.client(ACCOUNT, "us-east-1").send(new ModifyVpcAttributeCommand(off));
    sandbox.clock.advance(3_600_000);
    await look();
    assert.equal((await look()).vpcs[0]?.dnsHostnames, false);
  });

  test("costs at most 40 reads for a hundred networks, and shows each of them whole", async () => {
    const names = Array.from({ length: 100 }, (_, index) => `many-${index}`);
    for (const [index, name] of names.entries()) await furnish(HOME, name, `10.6.${index}`);
    const newcomer = handsOn(wire.url, hurriedClock(sandbox.clock));
    assert.ok((await readsFor(names, newcomer)) <= 40);
    assert.ok((await readsFor(names)) <= 40);
    const worlds = await cloud.observe(
      HOME,
      names.map((name) => networkRef(name)),
    );
    for (const world of worlds.values())
      assert.deepEqual(
        [world.vpcs, world.subnets, world.routeTables, world.groups, world.acls].map((list) => list.length),
        [1, 6, 5, 3, 1],
      );
    newcomer.close();
  });

  test("asks in parts when there are more networks than a filter holds", async () => {
    const names = Array.from({ length: 450 }, (_, index) => `many-${index}`);
    const worlds = await cloud.observe(
      HOME,
      names.map((name) => networkRef(name)),
    );
    assert.equal(worlds.size, 450);
    assert.equal([...worlds.values()].filter((world) => world.vpcs.length === 1).length, 100);
  });
});
