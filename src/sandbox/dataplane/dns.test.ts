/** The resolver's answers from rows: inside a VPC, from a peer with and without the option, from elsewhere. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { VpcRow } from "../rows.ts";
import { resolverFor } from "./dns.ts";
import { NAME_SOURCES, type NameSource } from "./nameSources.ts";
import { addressRow, interfaceRow, lookAt, NOW, peeringRow, vpcRow } from "./testing/rows.ts";

const PRIVATE = "ip-10-0-0-5.ec2.internal";
const PUBLIC = "ec2-198-18-0-1.compute-1.amazonaws.com";

interface World {
  readonly own?: Partial<VpcRow>;
  readonly peer?: Partial<VpcRow>;
  /** Whether the VPC lets its names resolve from its peer, and whether the peer does. */
  readonly ownOption?: boolean;
  readonly peerOption?: boolean;
  readonly ended?: boolean;
}

/** vpc-1 with two hosts, one of them public; vpc-2 peered with it; vpc-3 of somebody else, in Ireland. */
function world({ own, peer, ownOption = false, peerOption = false, ended = false }: World = {}) {
  const one = vpcRow("vpc-1", "10.0.0.0/16", own);
  const two = vpcRow("vpc-2", "10.1.0.0/16", { account: "222222222222", ...peer });
  const three = vpcRow("vpc-3", "10.0.0.0/16", { account: "333333333333", region: "eu-west-1" });
  return lookAt((tables) => {
    for (const vpc of [one, two, three]) tables.vpcs.put(vpc);
    tables.interfaces.put(interfaceRow("eni-1", "vpc-1", { privateIp: "10.0.0.5" }));
    tables.interfaces.put(
      interfaceRow("eni-2", "vpc-1", { privateIp: "10.0.0.6", autoPublicIp: "198.18.0.2" }),
    );
    tables.interfaces.put(interfaceRow("eni-3", "vpc-2", { privateIp: "10.1.0.5" }));
    tables.interfaces.put(
      interfaceRow("eni-4", "vpc-3", {
        privateIp: "10.0.0.5",
        region: "eu-west-1",
        autoPublicIp: "198.18.0.4",
      }),
    );
    tables.addresses.put(addressRow("198.18.0.1", { interfaceId: "eni-1", privateIp: "10.0.0.5" }));
    tables.addresses.put(addressRow("198.18.0.9"));
    const peering = peeringRow(
      "pcx-1",
      { vpc: one, dnsFromRemote: ownOption },
      { vpc: two, dnsFromRemote: peerOption },
    );
    tables.peerings.put(ended ? { ...peering, deletedAt: NOW } : peering);
  });
}

function asked(given: World, vpcId: string, name: string, type = "A") {
  return resolverFor(world(given), vpcId)({ name, type });
}

/** What the name resolves to; null = there is no such name. */
function found(given: World, vpcId: string, name: string, type = "A"): readonly string[] | null | undefined {
  const resolution = asked(given, vpcId, name, type);
  if (!resolution) return undefined;
  return resolution.exists ? resolution.records.map(({ data }) => data) : null;
}

describe("inside the VPC", () => {
  test("private and public names mean the private address", () => {
    assert.deepEqual(found({}, "vpc-1", PRIVATE), ["10.0.0.5"]);
    assert.deepEqual(found({}, "vpc-1", PUBLIC), ["10.0.0.5"]);
    assert.deepEqual(found({}, "vpc-1", "ec2-198-18-0-2.compute-1.amazonaws.com"), ["10.0.0.6"]);
  });

  test("whatever the case, with or without the last dot", () => {
    assert.deepEqual(found({}, "vpc-1", "IP-10-0-0-5.EC2.Internal."), ["10.0.0.5"]);
  });

  test("every region has its own domains", () => {
    assert.deepEqual(found({}, "vpc-3", "ip-10-0-0-5.eu-west-1.compute.internal"), ["10.0.0.5"]);
    assert.deepEqual(found({}, "vpc-3", "ec2-198-18-0-4.eu-west-1.compute.amazonaws.com"), ["10.0.0.5"]);
    assert.equal(found({}, "vpc-3", PRIVATE), null);
    assert.equal(found({}, "vpc-1", "ec2-198-18-0-1.eu-west-1.compute.amazonaws.com"), null);
  });

  test("an address nobody has has no name", () => {
    assert.equal(found({}, "vpc-1", "ip-10-0-0-7.ec2.internal"), null);
    assert.equal(found({}, "vpc-1", "ec2-198-18-0-7.compute-1.amazonaws.com"), null);
    assert.equal(found({}, "vpc-1", "example.com"), null);
  });

  test("without hostnames a VPC has no private names, and public ones stay public", () => {
    const own = { dnsHostnames: false };
    assert.equal(found({ own }, "vpc-1", PRIVATE), null);
    assert.deepEqual(found({ own }, "vpc-1", PUBLIC), ["198.18.0.1"]);
  });

  test("without DNS support there is no answer", () => {
    assert.equal(asked({ own: { dnsSupport: false } }, "vpc-1", PRIVATE), undefined);
    assert.equal(asked({}, "vpc-9", PRIVATE), undefined);
  });
});

describe("from elsewhere", () => {
  test("public names mean the public address, private names nothing", () => {
    assert.deepEqual(found({}, "vpc-3", PUBLIC), ["198.18.0.1"]);
    assert.deepEqual(found({}, "vpc-3", "ec2-198-18-0-9.compute-1.amazonaws.com"), ["198.18.0.9"]);
  });

  test("a peer is elsewhere, until the side of the name lets it resolve", () => {
    for (const given of [{}, { peerOption: true }]) {
      assert.equal(found(given, "vpc-2", PRIVATE), null);
      assert.deepEqual(found(given, "vpc-2", PUBLIC), ["198.18.0.1"]);
    }
    assert.deepEqual(found({ ownOption: true }, "vpc-2", PRIVATE), ["10.0.0.5"]);
    assert.deepEqual(found({ ownOption: true }, "vpc-2", PUBLIC), ["10.0.0.5"]);
    assert.equal(found({ ownOption: true }, "vpc-1", "ip-10-1-0-5.ec2.internal"), null);
    assert.deepEqual(found({ peerOption: true }, "vpc-1", "ip-10-1-0-5.ec2.internal"), ["10.1.0.5"]);
  });

  test("both VPCs must have names, and the peering must be active", () => {
    const off = { dnsHostnames: false };
    const cases = [{ own: off }, { peer: off }, { ended: true }].map((given) => ({
      ownOption: true,
      ...given,
    }));
    for (const given of cases) {
      assert.equal(found(given, "vpc-2", PRIVATE), null);
      assert.deepEqual(found(given, "vpc-2", PUBLIC), ["198.18.0.1"]);
    }
  });
});

describe("reverse", () => {
  test("addresses the VPC knows, and public ones", () => {
    assert.deepEqual(found({}, "vpc-1", "5.0.0.10.in-addr.arpa", "PTR"), [PRIVATE]);
    assert.deepEqual(found({}, "vpc-3", "5.0.0.10.in-addr.arpa", "PTR"), [
      "ip-10-0-0-5.eu-west-1.compute.internal",
    ]);
    assert.deepEqual(found({}, "vpc-3", "1.0.18.198.in-addr.arpa", "PTR"), [PUBLIC]);
    assert.equal(found({}, "vpc-1", "5.0.1.10.in-addr.arpa", "PTR"), null);
    assert.equal(found({}, "vpc-2", "5.0.0.10.in-addr.arpa", "PTR"), null);
    assert.deepEqual(found({ ownOption: true }, "vpc-2", "5.0.0.10.in-addr.arpa", "PTR"), [PRIVATE]);
  });
});

describe("no data", () => {
  test("the name is there, the type is not", () => {
    for (const type of ["AAAA", "MX", "PTR"]) assert.deepEqual(found({}, "vpc-1", PRIVATE, type), []);
    assert.deepEqual(found({}, "vpc-1", PRIVATE, "ANY"), ["10.0.0.5"]);
  });

  test("a domain exists when there is a name in it", () => {
    const domains = ["ec2.internal", "internal", "0.0.10.in-addr.arpa", "amazonaws.com", "."];
    for (const name of domains) assert.deepEqual(found({}, "vpc-1", name), [], name);
    assert.equal(found({}, "vpc-1", "7.0.10.in-addr.arpa"), null);
  });

  test("the zone is said, for a name that is not there too", () => {
    assert.equal(asked({}, "vpc-1", "ip-10-0-0-7.ec2.internal")?.zone, "ec2.internal");
    assert.equal(asked({}, "vpc-1", "example.com")?.zone, undefined);
  });
});

test("another source of names is one more entry", () => {
  const zone = "kafka.us-east-1.amazonaws.com";
  const brokers: NameSource = {
    zones: [zone],
    records: ({ tables }) =>
      tables.interfaces
        .all()
        .map(({ id, privateIp }) => ({ name: `${id}.${zone}`, type: "A", data: privateIp })),
  };
  const resolve = resolverFor(world(), "vpc-3", [...NAME_SOURCES, brokers]);
  assert.deepEqual(
    resolve({ name: `eni-1.${zone}`, type: "A" })?.records.map(({ data }) => data),
    ["10.0.0.5"],
  );
  assert.equal(resolve({ name: `eni-9.${zone}`, type: "A" })?.exists, false);
});
