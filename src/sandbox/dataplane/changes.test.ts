import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { cidr } from "../../domain/cidr.ts";
import { changesBetween, NOTHING } from "./changes.ts";
import type { Programs } from "./program.ts";
import { programsOf } from "./programs.ts";
import { KernelModel } from "./testing/kernelModel.ts";
import { idOf, topologies } from "./testing/randomTopologies.ts";
import { portOf, routerOf, topologyWith } from "./topologies.testing.ts";
import type { Router } from "./topology.ts";

/** A kernel in which exactly these are applied. */
const built = (programs: Programs, ...others: readonly Programs[]) =>
  new KernelModel(programs, ...others).apply(changesBetween(NOTHING, programs));

const ENI = idOf("eni", 1);
const HOST = idOf("i", 1);
const VPC = idOf("vpc", 1);
const subnet = {
  id: "subnet-a",
  cidr: cidr("10.0.0.0/24"),
  number: 0x1000_0001,
  tableId: "rtb-a",
  aclId: "acl-a",
};

function oneHost(parts: Partial<Router> = {}): Programs {
  const port = portOf(ENI, { hostId: HOST, privateIp: "10.0.0.10" });
  const router = routerOf(VPC, { subnets: [subnet], ports: [port], ...parts });
  return programsOf(topologyWith({ routers: [router], hosts: [{ id: HOST, vpcId: VPC, kind: "instance" }] }));
}

const empty = programsOf(topologyWith({ routers: [routerOf(VPC, { subnets: [subnet] })] }));

describe("changes", () => {
  test("lead from any topology to any other", () => {
    fc.assert(
      fc.property(topologies, topologies, (a, b) => {
        const [from, to] = [programsOf(a), programsOf(b)];
        const kernel = built(from, to).apply(changesBetween(from, to));
        assert.deepEqual(kernel.state(), built(to).state());
      }),
      { numRuns: 300 },
    );
  });

  test("are none between a topology and itself", () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const programs = programsOf(topology);
        const changes = changesBetween(programs, structuredClone(programs));
        assert.deepEqual(changes, { first: "", inside: [], last: "" });
      }),
    );
  });

  test("end with nothing", () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const programs = programsOf(topology);
        assert.deepEqual(built(programs).apply(changesBetween(programs, NOTHING)).state(), []);
      }),
    );
  });

  test("a link comes down, and goes up once the filter knows it", () => {
    const { first, inside } = changesBetween(empty, oneHost());
    assert.match(first, /link add name e\w{12} netns vpc-/);
    assert.doesNotMatch(first, /\bup\b/);
    const router = inside.find(({ namespace }) => namespace === VPC)?.script ?? "";
    assert.ok(router.indexOf("nft -f -") < router.indexOf("link set dev"));
    assert.ok(router.indexOf("nft -f -") >= 0);
  });

  test("a new router forwards last of all", () => {
    const { inside } = changesBetween(NOTHING, oneHost({ hasInternetGateway: true }));
    const router = inside.find(({ namespace }) => namespace === VPC)?.script ?? "";
    assert.equal(router.trimEnd().split("\n").at(-1), "echo 1 > /proc/sys/net/ipv4/ip_forward");
  });

  test("a filter forgets a device before the device goes", () => {
    const { first, inside, last } = changesBetween(oneHost(), empty);
    assert.equal(first, "");
    const router = inside.find(({ namespace }) => namespace === VPC)?.script ?? "";
    assert.match(router, /^nft -f - <<'END'\n/);
    assert.doesNotMatch(router.slice(0, router.indexOf("\nEND")), new RegExp(ENI.slice(-12)));
    assert.match(last, new RegExp(`ip netns del ${HOST}`));
  });

  test("a rule touches the filter of its VPC alone", () => {
    const rule = {
      id: "sgr-1",
      egress: false,
      protocol: "tcp",
      fromPort: 80,
      toPort: 80,
      from: { type: "cidr" as const, cidr: cidr("0.0.0.0/0") },
    };
    const { first, inside, last } = changesBetween(
      oneHost({ groups: [{ id: "sg-a", members: [], rules: [] }] }),
      oneHost({ groups: [{ id: "sg-a", members: [], rules: [rule] }] }),
    );
    assert.deepEqual([first, last, inside.map(({ namespace }) => namespace)], ["", "", [VPC]]);
    assert.doesNotMatch(inside[0]?.script ?? "", /^ip /m);
  });

  test("a link that is otherwise is made anew, with all that stands on it", () => {
    const [from, to] = [oneHost(), oneHost({ subnets: [{ ...subnet, number: subnet.number + 1 }] })];
    const { first, inside } = changesBetween(from, to);
    assert.ok(first.indexOf("link del dev") < first.indexOf("link add name"));
    assert.ok(first.indexOf("link del dev") >= 0);
    const host = inside.find(({ namespace }) => namespace === HOST)?.script ?? "";
    assert.match(host, /addr replace 10\.0\.0\.10\/32 dev eth0/);
    assert.match(host, /route replace default/);
    const router = inside.find(({ namespace }) => namespace === VPC)?.script ?? "";
    assert.match(router, /route replace 10\.0\.0\.10\/32/);
    assert.doesNotMatch(router, /rule (add|del)/);
  });

  test("an interface that moves to another host as its own goes", () => {
    const other = idOf("i", 2);
    const moved = programsOf(
      topologyWith({
        routers: [
          routerOf(VPC, {
            subnets: [subnet],
            ports: [portOf(ENI, { hostId: other, privateIp: "10.0.0.10" })],
          }),
        ],
        hosts: [{ id: other, vpcId: VPC, kind: "instance" }],
      }),
    );
    const kernel = built(oneHost(), moved).apply(changesBetween(oneHost(), moved));
    assert.deepEqual(kernel.state(), built(moved).state());
  });

  test("a route table of another number: the old rule goes, the new one comes", () => {
    const table = (number: number) => ({ tables: [{ id: "rtb-a", number, routes: [] }] });
    const [from, to] = [oneHost(table(0x1000_0005)), oneHost(table(0x1000_0006))];
    const { inside } = changesBetween(from, to);
    const router = inside.find(({ namespace }) => namespace === VPC)?.script ?? "";
    assert.ok(router.indexOf("rule del pref 100") < router.indexOf("rule add pref 100"));
    assert.ok(router.indexOf("rule del pref 100") >= 0);
  });
});
