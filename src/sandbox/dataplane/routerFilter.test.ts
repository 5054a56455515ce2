import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Cidr, cidr } from "../../domain/cidr.ts";
import { DROPS, type PeeringEnd, routerFilter } from "./routerFilter.ts";
import { portOf, routerOf } from "./topologies.testing.ts";
import type { Acl, GroupRule, Router } from "./topology.ts";

const ANYWHERE = cidr("0.0.0.0/0");
const port = portOf("eni-0123456789abcdef0", { hostId: "i-1", privateIp: "10.0.0.10", groupIds: ["sg-1"] });
const DEVICE = "e56789abcdef0";

const filterOf = (parts: Partial<Router>, peerings: readonly PeeringEnd[] = []) =>
  routerFilter(routerOf("vpc-1", parts), peerings).split("\n");

/** The lines of a chain, without their margin. */
function chain(lines: readonly string[], name: string): string[] {
  const from = lines.indexOf(` chain ${name} {`);
  assert.notEqual(from, -1, name);
  return lines.slice(from + 1, lines.indexOf(" }", from)).map((line) => line.trim());
}

const rule = (parts: Partial<GroupRule>): GroupRule => ({
  id: "sgr-1",
  egress: false,
  protocol: "tcp",
  fromPort: 22,
  toPort: 22,
  from: { type: "cidr", cidr: ANYWHERE },
  ...parts,
});

describe("the filter", () => {
  test("is one table, replaced whole, with a counter for every reason to drop", () => {
    const lines = filterOf({});
    assert.deepEqual(lines.slice(0, 3), ["table inet vpc", "delete table inet vpc", "table inet vpc {"]);
    for (const reason of DROPS) assert.ok(lines.includes(` counter ${reason} {}`), reason);
    assert.equal(lines.filter((line) => /^table inet vpc \{/.test(line)).length, 1);
  });

  test("drops what no stage's rule allows", () => {
    const text = filterOf({}).join("\n");
    for (const stage of ["to_router", "group_stage_out", "group_stage_in"])
      assert.match(text, new RegExp(`chain ${stage} \\{ type filter hook \\w+ priority \\d+; policy drop;`));
  });
});

describe("security groups", () => {
  const rules: readonly [Partial<GroupRule>, string][] = [
    [{}, "tcp dport 22"],
    [{ fromPort: 1024, toPort: 2048 }, "tcp dport 1024-2048"],
    [{ fromPort: 0, toPort: 65_535 }, "meta l4proto tcp"],
    [{ protocol: "udp", fromPort: 53, toPort: 53 }, "udp dport 53"],
    [{ protocol: "-1" }, "meta nfproto ipv4"],
    [{ protocol: "icmp", fromPort: -1, toPort: -1 }, "ip protocol icmp"],
    [{ protocol: "icmp", fromPort: 8, toPort: -1 }, "icmp type 8"],
    [{ protocol: "icmp", fromPort: 3, toPort: 4 }, "icmp type 3 icmp code 4"],
    [{ protocol: "50" }, "ip protocol 50"],
    [{ from: { type: "cidr", cidr: cidr("10.2.0.0/16") } }, "ip saddr 10.2.0.0/16 tcp dport 22"],
    [{ from: { type: "group", id: "sg-2" } }, "ip saddr @sg_2 tcp dport 22"],
  ];
  for (const [parts, words] of rules)
    test(words, () => {
      const lines = filterOf({ groups: [{ id: "sg-1", members: [], rules: [rule(parts)] }] });
      assert.deepEqual(chain(lines, "sg_1_in"), [`${words} counter accept comment "sg-1 sgr-1"`]);
      assert.deepEqual(chain(lines, "sg_1_out"), []);
    });

  test("a rule for what goes out is about where it goes", () => {
    const egress = rule({ egress: true, from: { type: "cidr", cidr: cidr("10.2.0.0/16") } });
    const lines = filterOf({ groups: [{ id: "sg-1", members: [], rules: [egress] }] });
    assert.match(chain(lines, "sg_1_out")[0] ?? "", /^ip daddr 10\.2\.0\.0\/16 /);
  });

  test("an interface jumps to each of its groups; one without groups takes everything", () => {
    const open = portOf("eni-0aaaaaaaaaaaaaaaa", { hostId: "nat-1", privateIp: "10.0.0.5", isOpen: true });
    const lines = filterOf({ ports: [{ ...port, groupIds: ["sg-1", "sg-2"] }, open] });
    assert.ok(lines.includes(` chain ${DEVICE}_in { jump sg_1_in; jump sg_2_in; }`));
    const verdicts = `"${DEVICE}" : jump ${DEVICE}_in, "eaaaaaaaaaaaa" : accept`;
    assert.ok(lines.includes(` map groups_in { type ifname : verdict; elements = { ${verdicts} }; }`));
  });

  test("an interface that takes no connection jumps to none of them on the way in", () => {
    const lines = filterOf({ ports: [{ ...port, groupIds: ["sg-1"], isOutboundOnly: true }] });
    assert.ok(lines.includes(` chain ${DEVICE}_in {  }`));
    assert.ok(lines.includes(` chain ${DEVICE}_out { jump sg_1_out; }`));
  });

  test("members are named once", () => {
    const lines = filterOf({ groups: [{ id: "sg-1", members: ["10.0.0.1", "10.0.0.1"], rules: [] }] });
    assert.ok(lines.includes(" set sg_1 { type ipv4_addr; elements = { 10.0.0.1 }; }"));
  });
});

describe("network ACLs", () => {
  const acl = (block: Cidr = ANYWHERE): Acl => ({
    id: "acl-1",
    entries: [
      { number: 90, egress: false, action: "deny", protocol: "6", ports: { from: 22, to: 22 }, cidr: block },
      { number: 100, egress: false, action: "allow", protocol: "-1", cidr: block },
      { number: 32_767, egress: false, action: "deny", protocol: "-1", cidr: ANYWHERE },
      { number: 100, egress: true, action: "allow", protocol: "1", icmp: { type: 8, code: -1 }, cidr: block },
    ],
  });

  test("are looked at in their order; a denial is counted", () => {
    const lines = filterOf({ acls: [acl(cidr("10.2.0.0/16"))] });
    assert.deepEqual(chain(lines, "acl_1_in"), [
      'ip saddr 10.2.0.0/16 tcp dport 22 counter counter name acl_in drop comment "acl-1 90"',
      'ip saddr 10.2.0.0/16 meta nfproto ipv4 counter accept comment "acl-1 100"',
      'meta nfproto ipv4 counter counter name acl_in drop comment "acl-1 32767"',
    ]);
    assert.deepEqual(chain(lines, "acl_1_out"), [
      'ip daddr 10.2.0.0/16 icmp type 8 counter accept comment "acl-1 100"',
    ]);
  });

  test("are those of the subnets they are on", () => {
    const subnet = {
      id: "s",
      cidr: cidr("10.0.0.0/24"),
      number: 268_435_457,
      tableId: "rtb-1",
      aclId: "acl-1",
    };
    const lines = filterOf({
      acls: [acl()],
      subnets: [subnet, { ...subnet, id: "t", number: 268_435_458, aclId: "" }],
    });
    assert.ok(
      lines.includes(" map acl_in_of { type devgroup : verdict; elements = { 268435457 : jump acl_1_in }; }"),
    );
  });
});

describe("addresses", () => {
  test("a host may send as itself, and as anybody once its check is off", () => {
    const lines = filterOf({ ports: [port] }).join("\n");
    assert.match(
      lines,
      new RegExp(`set port_address \\{ .*elements = \\{ "${DEVICE}" \\. 10\\.0\\.0\\.10 \\};`),
    );
    assert.match(lines, /set unchecked \{ type ifname; {2}\}/);
    const unchecked = filterOf({ ports: [{ ...port, sourceDestCheck: false }] }).join("\n");
    assert.match(unchecked, new RegExp(`set unchecked \\{ .*elements = \\{ "${DEVICE}" \\};`));
  });

  test("public ones are led to private ones and back", () => {
    const lines = filterOf({ publicAddresses: [{ publicIp: "198.18.0.1", privateIp: "10.0.0.10" }] }).join(
      "\n",
    );
    assert.match(lines, /map public_in \{ .*elements = \{ 198\.18\.0\.1 : 10\.0\.0\.10 \};/);
    assert.match(lines, /map public_out \{ .*elements = \{ 10\.0\.0\.10 : 198\.18\.0\.1 \};/);
  });

  test("over a peering come the peer's blocks alone, all of them, under the peering's mark", () => {
    const blocks = [cidr("10.2.0.0/16"), cidr("100.64.0.0/16")];
    const peering: PeeringEnd = { id: "pcx-0123456789abcdef0", number: 7, side: 0, blocks };
    const lines = filterOf({}, [peering]).join("\n");
    const device = '"p56789abcdef0"';
    assert.ok(lines.includes(`elements = { ${device} . 10.2.0.0/16, ${device} . 100.64.0.0/16 };`));
    assert.ok(lines.includes(`map peering_mark { type ifname : mark; elements = { ${device} : 7 }; }`));
    assert.ok(lines.includes(`set peering_live { type ifname . mark; elements = { ${device} . 7 }; }`));
  });

  test("the resolver is the VPC's second address, and the fixed one", () => {
    const lines = filterOf({ blocks: [cidr("10.7.0.0/16"), cidr("100.64.0.0/16")] }).join("\n");
    assert.match(
      lines,
      /ip daddr \{ 169\.254\.169\.253, 10\.7\.0\.2 \} meta l4proto \{ tcp, udp \} th dport 53 accept/,
    );
  });
});
