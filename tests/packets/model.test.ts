/**
 * The model of reachability, on literals: each sentence of AWS's documentation that it follows, with the flow that
 * the sentence decides. Its agreement with real packets is agreement.test.ts's.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkAclEntry, Route, SecurityGroupRule } from "@aws-sdk/client-ec2";
import { readSources } from "../sources.ts";
import type { Ec2State } from "./ec2State.ts";
import { ALLOW, ANYWHERE, acl, BASE, rule, table } from "./literalState.ts";
import { type Flow, type Guests, verdictOf } from "./model.ts";

const GUESTS: Guests = {
  served: [4000],
  forwarding: ["i-appliance"],
  alias: "203.0.113.8",
  internet: { block: "192.0.2.0/24", client: "192.0.2.9" },
};

const flow = (from: string, to: string, over: Partial<Flow> = {}): Flow => ({
  from: from === "internet" ? from : `i-${from}`,
  to,
  protocol: "tcp",
  port: 4000,
  sourcePort: 40_000,
  ...over,
});

/** `answered as 10.1.1.10`, `refused`, or `silent: why`. */
function verdict(state: Partial<Ec2State>, one: Flow): string {
  const found = verdictOf({ ...BASE, ...state }, one, GUESTS);
  if (found.kind === "answered") return `answered as ${found.seen}`;
  return found.kind === "silent" ? `silent: ${found.reason}` : found.kind;
}

const rules = (host: string, ...own: SecurityGroupRule[]): Partial<Ec2State> => ({
  SecurityGroupRules: [
    ...BASE.SecurityGroupRules.filter((one) => one.GroupId !== `sg-${host}`),
    ...own.map((one) => rule(host, one)),
  ],
});

const routes = (subnet: string, ...own: Route[]): Partial<Ec2State> => ({
  RouteTables: [
    ...BASE.RouteTables.filter((one) => one.RouteTableId !== `rtb-subnet-${subnet}`),
    table(`subnet-${subnet}`, own),
  ],
});

const entries = (subnet: string, ...own: NetworkAclEntry[]): Partial<Ec2State> => ({
  NetworkAcls: [
    ...BASE.NetworkAcls.filter((one) => one.NetworkAclId !== `acl-subnet-${subnet}`),
    acl(`subnet-${subnet}`, own),
  ],
});

const EGRESS: SecurityGroupRule = { IsEgress: true, CidrIpv4: ANYWHERE };
const icmp: Partial<Flow> = { protocol: "icmp", port: 0, sourcePort: 0 };

describe("in one VPC", () => {
  test("everything open: answered, and a port that nobody serves refuses", () => {
    assert.equal(verdict({}, flow("one", "10.1.2.10")), "answered as 10.1.1.10");
    assert.equal(verdict({}, flow("one", "10.1.2.10", { port: 4001 })), "refused");
    assert.equal(verdict({}, flow("one", "10.1.2.10", icmp)), "answered as 10.1.1.10");
    assert.throws(() => verdict({}, flow("one", "10.1.2.10", { protocol: "udp", port: 9 })), /not modelled/);
  });

  test("an address that nobody has, a host that does not run", () => {
    assert.equal(verdict({}, flow("one", "10.1.2.99")), "silent: nobody has 10.1.2.99 in vpc-a");
    const stopped = { Instances: BASE.Instances.filter((one) => one.InstanceId !== "i-two") };
    assert.equal(verdict(stopped, flow("one", "10.1.2.10")), "silent: no host runs behind eni-two");
    assert.equal(verdict(stopped, flow("two", "10.1.1.10")), "silent: i-two is not running");
  });

  test("the local route wins over one that is as long", () => {
    const away = routes("a1", { DestinationCidrBlock: "10.1.0.0/16", GatewayId: "igw-a" });
    assert.equal(verdict(away, flow("one", "10.1.2.10")), "answered as 10.1.1.10");
  });
});

describe("security groups", () => {
  test("are stateful: what was let out may be answered, what was let in may answer", () => {
    assert.equal(verdict(rules("one", EGRESS), flow("one", "10.1.2.10")), "answered as 10.1.1.10");
    assert.equal(
      verdict(rules("two", { CidrIpv4: "10.1.1.0/24" }), flow("one", "10.1.2.10")),
      "answered as 10.1.1.10",
    );
  });

  test("need a rule of each side", () => {
    assert.equal(verdict(rules("one"), flow("one", "10.1.2.10")), "silent: groups of eni-one, out");
    assert.equal(verdict(rules("two", EGRESS), flow("one", "10.1.2.10")), "silent: groups of eni-two, in");
  });

  test("match protocol, both ends of the ports, ICMP's type and the far address", () => {
    const tcp = { IpProtocol: "tcp", CidrIpv4: "10.1.1.0/24", FromPort: 3999, ToPort: 4000 };
    assert.equal(verdict(rules("two", tcp), flow("one", "10.1.2.10")), "answered as 10.1.1.10");
    for (const other of [{ port: 4001 }, { port: 3998 }, { protocol: "udp" as const }, icmp])
      assert.match(verdict(rules("two", tcp), flow("one", "10.1.2.10", other)), /^silent: groups of eni-two/);
    assert.match(verdict(rules("two", tcp), flow("appliance", "10.1.2.10")), /^silent: groups of eni-two/);
    const ping = (FromPort: number) => rules("two", { IpProtocol: "icmp", CidrIpv4: ANYWHERE, FromPort });
    assert.equal(verdict(ping(8), flow("one", "10.1.2.10", icmp)), "answered as 10.1.1.10");
    assert.equal(verdict(ping(0), flow("one", "10.1.2.10", icmp)), "silent: groups of eni-two, in");
  });

  test("refer to groups of the VPC and of an active peer of the same region", () => {
    const referring = (host: string) =>
      rules("peer", EGRESS, { ReferencedGroupInfo: { GroupId: `sg-${host}` } });
    assert.equal(verdict(referring("one"), flow("one", "10.2.1.10")), "answered as 10.1.1.10");
    assert.equal(verdict(referring("two"), flow("one", "10.2.1.10")), "silent: groups of eni-peer, in");
    const elsewhere = BASE.VpcPeeringConnections.map((one) => ({
      ...one,
      RequesterVpcInfo: { ...one.RequesterVpcInfo, Region: "eu-west-1" },
    }));
    assert.equal(
      verdict({ ...referring("one"), VpcPeeringConnections: elsewhere }, flow("one", "10.2.1.10")),
      "silent: groups of eni-peer, in",
    );
  });
});

describe("network ACLs", () => {
  const entry = (over: NetworkAclEntry): NetworkAclEntry => ({
    Egress: false,
    RuleNumber: 100,
    Protocol: "-1",
    RuleAction: "allow",
    ...over,
  });

  test("the first entry that matches decides", () => {
    const deny = entry({ RuleNumber: 50, RuleAction: "deny", CidrBlock: "10.1.1.10/32" });
    const state = entries("a2", ...ALLOW, deny);
    assert.equal(verdict(state, flow("one", "10.1.2.10")), "silent: acl-subnet-a2 in 50");
    assert.equal(verdict(state, flow("twin", "10.1.2.10")), "answered as 10.1.1.11");
  });

  test("are stateless: the answer needs its own ports", () => {
    const out = (From: number, To: number) =>
      entries("a2", entry({}), entry({ Egress: true, Protocol: "6", PortRange: { From, To } }));
    assert.equal(verdict(out(1024, 65535), flow("one", "10.1.2.10")), "answered as 10.1.1.10");
    assert.match(
      verdict(out(4000, 4000), flow("one", "10.1.2.10")),
      /^silent: its answer: acl-subnet-a2 out/,
    );
    assert.match(
      verdict(out(0, 65535), flow("one", "10.1.2.10", icmp)),
      /^silent: its answer: acl-subnet-a2/,
    );
  });

  test("are not asked within a subnet", () => {
    const shut = entries("a1");
    assert.equal(verdict(shut, flow("one", "10.1.1.11")), "answered as 10.1.1.10");
    assert.match(verdict(shut, flow("one", "10.1.2.10")), /^silent: acl-subnet-a1 out/);
  });
});

describe("peering", () => {
  test("needs a route on both sides", () => {
    assert.equal(verdict({}, flow("one", "10.2.1.10")), "answered as 10.1.1.10");
    assert.equal(
      verdict(routes("a1"), flow("one", "10.2.1.10")),
      "silent: no route to 10.2.1.10 in rtb-subnet-a1",
    );
    assert.equal(
      verdict(routes("b1"), flow("one", "10.2.1.10")),
      "silent: its answer: no route to 10.1.1.10 in rtb-subnet-b1",
    );
  });

  test("is not transitive, and no way to a gateway of the peer", () => {
    const through = routes("a1", { DestinationCidrBlock: ANYWHERE, VpcPeeringConnectionId: "pcx-ab" });
    assert.equal(verdict(through, flow("one", "10.3.1.10")), "silent: 10.3.1.10 is beyond vpc-b");
    assert.equal(verdict(through, flow("one", "192.0.2.1")), "silent: 192.0.2.1 is beyond vpc-b");
  });

  test("a blackhole swallows what a shorter route would carry; a pending request carries nothing", () => {
    const blackhole = routes(
      "a1",
      { DestinationCidrBlock: "10.0.0.0/8", VpcPeeringConnectionId: "pcx-ab" },
      { DestinationCidrBlock: "10.2.1.0/24", GatewayId: "igw-a", State: "blackhole" },
    );
    assert.equal(
      verdict(blackhole, flow("one", "10.2.1.10")),
      "silent: blackhole 10.2.1.0/24 in rtb-subnet-a1",
    );
    const pending = BASE.VpcPeeringConnections.map((one) => ({
      ...one,
      Status: { Code: "provisioning" as const },
    }));
    assert.match(verdict({ VpcPeeringConnections: pending }, flow("one", "10.2.1.10")), /not ready$/);
  });

  test("a peer with the same addresses answers in vain", () => {
    const elsewhere = routes("b1", {
      DestinationCidrBlock: "10.1.0.0/16",
      VpcPeeringConnectionId: "pcx-bc",
    });
    assert.match(verdict(elsewhere, flow("one", "10.2.1.10")), /^silent: its answer: 10\.1\.1\.10 is beyond/);
  });
});

describe("the internet", () => {
  test("is reached by one's own public address, or by the NAT gateway's", () => {
    assert.equal(verdict({}, flow("one", "192.0.2.1")), "answered as 198.18.0.1");
    assert.equal(verdict({}, flow("two", "192.0.2.1")), "answered as 198.18.0.5");
    assert.equal(verdict({}, flow("twin", "192.0.2.1")), "silent: 10.1.1.11 has no public address");
    assert.equal(verdict({}, flow("one", "198.18.0.77")), "silent: nobody on the internet has 198.18.0.77");
  });

  test("reaches public addresses whose subnet leads back to it, and no NAT gateway", () => {
    assert.equal(verdict({}, flow("internet", "198.18.0.1")), "answered as 192.0.2.9");
    assert.match(
      verdict(routes("a1"), flow("internet", "198.18.0.1")),
      /^silent: its answer: no route to 192\.0\.2\.9/,
    );
    assert.equal(verdict({}, flow("internet", "198.18.0.5")), "silent: nat-a knows no such connection");
    assert.equal(verdict({}, flow("internet", "10.1.1.10")), "silent: nobody on the internet has 10.1.1.10");
  });

  test("one's own public address leads out and in again", () => {
    assert.equal(verdict({}, flow("one", "198.18.0.1")), "answered as 198.18.0.1");
    assert.equal(verdict({}, flow("two", "198.18.0.1")), "answered as 198.18.0.5");
  });

  test("a NAT gateway's subnet has its list asked on both legs, and the gateway is available", () => {
    const shut = entries("a1", ...ALLOW, {
      Egress: false,
      RuleNumber: 10,
      Protocol: "-1",
      RuleAction: "deny",
      CidrBlock: "192.0.2.0/24",
    });
    assert.equal(verdict(shut, flow("two", "192.0.2.1")), "silent: its answer: acl-subnet-a1 in 10");
    const pending = BASE.NatGateways.map((one) => ({ ...one, State: "pending" as const }));
    assert.equal(verdict({ NatGateways: pending }, flow("two", "192.0.2.1")), "silent: nat-a is pending");
    const circle = routes("a1", { DestinationCidrBlock: ANYWHERE, NatGatewayId: "nat-a" });
    assert.equal(verdict(circle, flow("two", "192.0.2.1")), "silent: it goes round in circles");
  });
});

describe("a host that forwards", () => {
  const through = routes("a1", { DestinationCidrBlock: "10.2.0.0/16", NetworkInterfaceId: "eni-appliance" });

  test("carries others' packets only without the source and destination check", () => {
    assert.equal(verdict(through, flow("one", "10.2.1.10")), "answered as 10.1.1.10");
    const NetworkInterfaces = BASE.NetworkInterfaces.map((one) => ({ ...one, SourceDestCheck: true }));
    assert.equal(
      verdict({ ...through, NetworkInterfaces }, flow("one", "10.2.1.10")),
      "silent: destination check of eni-appliance",
    );
  });

  test("is reached at its further address by a route to it", () => {
    const route = { DestinationCidrBlock: "203.0.113.0/24", NetworkInterfaceId: "eni-appliance" };
    assert.equal(verdict(routes("a1", route), flow("one", "203.0.113.8")), "answered as 10.1.1.10");
  });

  test("and only if it forwards", () => {
    const other = routes("a1", { DestinationCidrBlock: "10.2.0.0/16", NetworkInterfaceId: "eni-two" });
    const NetworkInterfaces = BASE.NetworkInterfaces.map((one) => ({ ...one, SourceDestCheck: false }));
    assert.equal(
      verdict({ ...other, NetworkInterfaces }, flow("one", "10.2.1.10")),
      "silent: the host behind eni-two does not forward",
    );
  });
});

describe("a forged source address", () => {
  const forged: Partial<Flow> = { protocol: "udp", forged: "203.0.113.7" };

  test("does not pass the source check", () => {
    assert.equal(verdict({}, flow("one", "10.1.2.10", forged)), "silent: source check of eni-one");
  });

  test("without the check it arrives in the VPC, unanswered, and not in a peer's", () => {
    const there = verdictOf(BASE, flow("appliance", "10.1.1.10", forged), GUESTS);
    assert.deepEqual(there, {
      kind: "silent",
      reason: "its answer: nobody on the internet has 203.0.113.7",
      arrives: true,
    });
    assert.equal(
      verdict({}, flow("appliance", "10.2.1.10", forged)),
      "silent: 203.0.113.7 is no address of vpc-a",
    );
  });
});

test("the model knows nothing of how packets are made to obey", () => {
  const model = readSources("tests/packets").filter(({ path }) =>
    /(model|filters|nextHops|ec2State)\.ts$/.test(path),
  );
  assert.equal(model.length, 4);
  for (const { path, imports } of model)
    assert.deepEqual(
      imports.filter((one) => one.includes("/src/") && !one.endsWith("/src/domain/cidr.ts")),
      [],
      path,
    );
});
