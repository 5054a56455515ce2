import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cidr } from "../../domain/cidr.ts";
import { portDevice } from "./names.ts";
import { portOf, routerOf, topologyWith } from "./topologies.testing.ts";
import { storyOf } from "./trace.ts";
import type { Evidence } from "./traceEvidence.ts";
import {
  type Counters,
  countersIn,
  moved,
  type Packet,
  type Sighting,
  type Stage,
  sightingsIn,
  traceProgram,
} from "./traceProgram.ts";

const PACKET: Packet = { protocol: "tcp", port: 9092, tag: 40_000 };
const A = portOf("eni-aaaaaaaaaaaaaaaaa", { hostId: "i-a", privateIp: "10.0.0.4", groupIds: ["sg-1"] });
const B = portOf("eni-bbbbbbbbbbbbbbbbb", {
  hostId: "i-b",
  privateIp: "10.0.0.5",
  groupIds: ["sg-1", "sg-2"],
});

const anywhere = { type: "cidr", cidr: cidr("0.0.0.0/0") } as const;
const ROUTER = routerOf("vpc-a", {
  ports: [A, B],
  groups: [
    {
      id: "sg-1",
      members: ["10.0.0.4", "10.0.0.5"],
      rules: [{ id: "sgr-all", egress: true, protocol: "-1", fromPort: -1, toPort: -1, from: anywhere }],
    },
    {
      id: "sg-2",
      members: ["10.0.0.5"],
      rules: [
        { id: "sgr-ssh", egress: false, protocol: "tcp", fromPort: 22, toPort: 22, from: anywhere },
        {
          id: "sgr-own",
          egress: false,
          protocol: "tcp",
          fromPort: 9000,
          toPort: 9999,
          from: { type: "group", id: "sg-1" },
        },
      ],
    },
  ],
});

const ORDER = [
  "entered",
  "routed",
  "forwarded",
  "edge",
  "acl_out",
  "acl_in",
  "group_out",
  "group_in",
  "left",
] as const;

/** Seen from A to B at each stage up to that one; `taken` = all the way. */
function seenUpTo(last: Stage): Sighting[] {
  const stages = ORDER.slice(0, last === "taken" ? ORDER.length : ORDER.indexOf(last as "left") + 1);
  const inRouter = stages.map((stage): Sighting => {
    const to = stage === "entered" || stage === "routed" ? "" : portDevice(B.id);
    return { namespace: "vpc-a", stage, way: "go", from: portDevice(A.id), to };
  });
  const taken: Sighting = { namespace: "i-b", stage: "taken", way: "go", from: "eth0", to: "" };
  return last === "taken" ? [...inRouter, taken] : inRouter;
}

function evidence(last: Stage, counters: Partial<Counters> = {}): Evidence {
  return {
    topology: topologyWith({ routers: [ROUTER] }),
    packet: PACKET,
    from: { hostId: "i-a", address: "10.0.0.4" },
    to: { hostId: "i-b", address: "10.0.0.5" },
    sightings: seenUpTo(last),
    counters: new Map([["vpc-a", { rules: new Map(), drops: new Map(), ...counters }]]),
    complaint: "",
  };
}

const counted = (...names: string[]) => new Map(names.map((name) => [name, 1]));

describe("the story of a packet", () => {
  test("ends where it was seen last", () => {
    const ends = (last: Stage, drops: readonly string[] = []) => {
      const { arrived, steps } = storyOf(evidence(last, { drops: counted(...drops) }));
      const { check, verdict, says } = steps.at(-1) ?? {};
      return [arrived, check, verdict, says];
    };
    assert.deepEqual(ends("entered", ["spoof", "noroute"]).slice(0, 3), [false, "route", "dropped"]);
    assert.deepEqual(ends("forwarded", ["dstcheck"]), [
      ...[false, "edge", "dropped"],
      "the interface takes what is for its own address only: source/destination check",
    ]);
    assert.deepEqual(ends("acl_in"), [
      ...[false, "group out", "dropped"],
      `no rule of sg-1 allows it out of ${A.id}`,
    ]);
    assert.deepEqual(ends("group_out").slice(1, 3), ["group in", "dropped"]);
    assert.deepEqual(ends("left"), [false, "host", "dropped", "its own packet filter drops it"]);
    assert.deepEqual(ends("taken"), [true, "taken", "passed", "takes it"]);
  });

  test("of an interface that takes no connection blames no rule", () => {
    const ports = [A, { ...B, isOutboundOnly: true }];
    const story = storyOf({
      ...evidence("group_out", { rules: counted("sg_2_in sg-2 sgr-own") }),
      topology: topologyWith({ routers: [{ ...ROUTER, ports }] }),
    });
    const { check, verdict, by, says } = story.steps.at(-1) ?? {};
    const why = `nobody opens a connection to ${B.id}: functions alone use it`;
    assert.deepEqual([check, verdict, by, says], ["group in", "dropped", null, why]);
  });

  test("names the rule whose counter moved and that fits the packet, not those that other traffic moved", () => {
    const rules = counted("sg_1_out sg-1 sgr-all", "sg_2_in sg-2 sgr-ssh", "sg_2_in sg-2 sgr-own");
    const { steps } = storyOf(evidence("taken", { rules }));
    assert.deepEqual(
      steps.filter(({ check }) => check.startsWith("group")).map(({ check, by }) => [check, by]),
      [
        ["group out", "sg-1 sgr-all"],
        ["group in", "sg-2 sgr-own"],
      ],
    );
  });

  test("names no rule whose counter stands still, though it would fit", () => {
    const { steps } = storyOf(evidence("group_out", { rules: counted("sg_2_in sg-2 sgr-ssh") }));
    assert.deepEqual(steps.at(-1)?.by, null);
  });

  test("blames nobody where no counter says why", () => {
    const { steps } = storyOf(evidence("entered"));
    assert.equal(steps.at(-1)?.says, "it is not seen any more, and no counter says why");
  });

  test("that never began says what the sender said", () => {
    const { arrived, steps } = storyOf({ ...evidence("taken"), sightings: [], complaint: "EACCES" });
    assert.equal(arrived, false);
    assert.deepEqual(steps, [
      { place: "i-a", check: "sent", verdict: "dropped", by: null, says: "nothing left the host: EACCES" },
    ]);
  });

  test("that goes in a circle ends", () => {
    const device = portDevice(A.id);
    const circle = ORDER.map(
      (stage): Sighting => ({ namespace: "vpc-a", stage, way: "go", from: device, to: device }),
    );
    const { arrived, steps } = storyOf({ ...evidence("taken"), sightings: circle });
    assert.equal(arrived, false);
    assert.ok(steps.length < 100);
  });
});

describe("what the kernel's tools print", () => {
  const elem = (...concat: string[]) => ({ elem: { val: { concat }, counter: { packets: 1, bytes: 60 } } });

  test("is read as sightings", () => {
    const json = JSON.stringify({
      nftables: [
        { metainfo: { version: "1.0.6" } },
        { set: { name: "acl_out_go", elem: [elem("e1", "igw"), elem("e2", "e1")] } },
        { set: { name: "entered_back", elem: [elem("igw", "")] } },
        { set: { name: "left_go" } },
        { chain: { name: "at_left" } },
      ],
    });
    assert.deepEqual(sightingsIn("vpc-a", json), [
      { namespace: "vpc-a", stage: "acl_out", way: "go", from: "e1", to: "igw" },
      { namespace: "vpc-a", stage: "acl_out", way: "go", from: "e2", to: "e1" },
      { namespace: "vpc-a", stage: "entered", way: "back", from: "igw", to: "" },
    ]);
  });

  test("is read as counters, of rules with a name of their own", () => {
    const counter = { packets: 4, bytes: 240 };
    const rule = (chain: string, comment: string) => ({
      rule: { chain, comment, expr: [{ match: {} }, { counter: "acl_in" }, { counter }, { drop: null }] },
    });
    const json = JSON.stringify({
      nftables: [
        { counter: { name: "noroute", packets: 2, bytes: 120 } },
        rule("acl_1_in", "acl-1 100"),
        { rule: { chain: "edge", expr: [{ counter }] } },
      ],
    });
    assert.deepEqual(countersIn(json), {
      rules: new Map([["acl_1_in acl-1 100", 4]]),
      drops: new Map([["noroute", 2]]),
    });
  });

  test("moves, stands still, or was begun anew", () => {
    const counters = (rule: number, drop: number): Counters => ({
      rules: new Map([["c r", rule]]),
      drops: new Map([["spoof", drop]]),
    });
    assert.deepEqual(moved(counters(1, 5), counters(3, 5)), {
      rules: new Map([["c r", 2]]),
      drops: new Map(),
    });
    assert.equal(moved(counters(1, 5), counters(3, 0)), undefined);
    assert.equal(moved(counters(1, 5), counters(0, 6)), undefined);
  });

  test("is asked for this packet and its answer alone", () => {
    const tcp = traceProgram(PACKET);
    assert.match(tcp, /tcp sport 40000 tcp dport 9092 update @left_go/);
    assert.match(tcp, /tcp sport 9092 tcp dport 40000 update @left_back/);
    const icmp = traceProgram({ protocol: "icmp", port: undefined, tag: 7 });
    assert.match(icmp, /icmp type echo-request icmp id 7 update @entered_go/);
    assert.match(icmp, /icmp type echo-reply icmp id 7 update @entered_back/);
  });
});
