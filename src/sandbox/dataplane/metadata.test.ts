/** The metadata service from rows and requests: values, folders, sessions, and who is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InstanceRow } from "../rows.ts";
import { type MetadataRequest, metadataAnswer } from "./metadata.ts";
import { addressRow, instanceRow, interfaceRow, lookAt, NOW, subnetRow, vpcRow } from "./testing/rows.ts";

const TTL = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN = "x-aws-ec2-metadata-token";
const SECRET = Buffer.from("of this sandbox alone");
const MAC = "02:00:00:00:00:01";

interface World {
  readonly instance?: Partial<InstanceRow>;
  readonly isPublic?: boolean;
}

/** i-1 at 10.0.0.5 of vpc-1; i-2 at the same address of vpc-2. */
function world({ instance = {}, isPublic = true }: World = {}) {
  return lookAt((tables) => {
    tables.vpcs.put(vpcRow("vpc-1", "10.0.0.0/16"));
    tables.vpcs.put(vpcRow("vpc-2", "10.0.0.0/16"));
    tables.subnets.put(subnetRow("subnet-1", "vpc-1", "10.0.0.0/24"));
    const group = { id: "sg-1", vpcId: "vpc-1", name: "default", description: "", rules: [] };
    tables.securityGroups.put({ ...group, account: "111111111111", region: "us-east-1", at: 0, tags: [] });
    const attached = (instanceId: string) => ({
      id: `eni-attach-${instanceId}`,
      instanceId,
      ownerId: "111111111111",
      deviceIndex: 0,
      at: NOW,
      deleteOnTermination: true,
    });
    for (const [id, vpcId] of [
      ["1", "vpc-1"],
      ["2", "vpc-2"],
    ] as const) {
      const attachment = attached(`i-${id}`);
      tables.interfaces.put(
        interfaceRow(`eni-${id}`, vpcId, { privateIp: "10.0.0.5", groupIds: ["sg-1"], attachment }),
      );
      tables.instances.put(instanceRow(`i-${id}`, { vpcId, interfaceIds: [`eni-${id}`], ...instance }));
    }
    tables.interfaces.put(interfaceRow("eni-3", "vpc-1", { privateIp: "10.0.0.9" }));
    if (isPublic) tables.addresses.put(addressRow("198.18.0.1", { interfaceId: "eni-1" }));
  });
}

interface Asked extends World, Partial<MetadataRequest> {
  readonly from?: string;
  readonly vpcId?: string;
  readonly later?: number;
}

function ask(url: string, asked: Asked = {}) {
  const { from = "10.0.0.5", vpcId = "vpc-1", later = 0, method = "GET", headers = {} } = asked;
  const look = { ...world(asked), now: NOW + later };
  return metadataAnswer({ look, vpcId, from, secret: SECRET }, { method, url, headers });
}

function value(path: string, asked: Asked = {}): string | number {
  const { status, body } = ask(`/latest/${path}`, asked);
  return status === 200 ? body : status;
}

describe("values", () => {
  test("the instance, its place and its addresses", () => {
    const expected = {
      "instance-id": "i-1",
      "instance-type": "t3.micro",
      "ami-id": "ami-12345678",
      "local-ipv4": "10.0.0.5",
      "public-ipv4": "198.18.0.1",
      "local-hostname": "ip-10-0-0-5.ec2.internal",
      hostname: "ip-10-0-0-5.ec2.internal",
      "public-hostname": "ec2-198-18-0-1.compute-1.amazonaws.com",
      mac: MAC,
      "security-groups": "default",
      "placement/availability-zone": "us-east-1a",
      "placement/availability-zone-id": "use1-az1",
      "placement/region": "us-east-1",
      "services/domain": "amazonaws.com",
      [`network/interfaces/macs/${MAC}/interface-id`]: "eni-1",
      [`network/interfaces/macs/${MAC}/subnet-id`]: "subnet-1",
      [`network/interfaces/macs/${MAC}/subnet-ipv4-cidr-block`]: "10.0.0.0/24",
      [`network/interfaces/macs/${MAC}/vpc-ipv4-cidr-blocks`]: "10.0.0.0/16",
      [`network/interfaces/macs/${MAC}/security-group-ids`]: "sg-1",
      [`network/interfaces/macs/${MAC}/ipv4-associations/198.18.0.1`]: "10.0.0.5",
    };
    const said = Object.fromEntries(Object.keys(expected).map((name) => [name, value(`meta-data/${name}`)]));
    assert.deepEqual(said, expected);
  });

  test("the source address and its VPC tell the instance", () => {
    assert.equal(value("meta-data/instance-id", { vpcId: "vpc-2" }), "i-2");
    assert.equal(value("meta-data/instance-id", { from: "10.0.0.6" }), 404);
    assert.equal(value("meta-data/instance-id", { from: "10.0.0.9" }), 404);
    assert.equal(value("meta-data/instance-id", { instance: { runningAt: NOW + 1 } }), 404);
  });

  test("what is not there is 404", () => {
    const absent = [
      "meta-data/iam/",
      "meta-data/iam/security-credentials/",
      "meta-data/x",
      "user-data",
      "../etc",
    ];
    for (const path of absent) assert.equal(value(path), 404, path);
    assert.equal(value("meta-data/public-ipv4", { isPublic: false }), 404);
    assert.equal(value("meta-data/instance-id/"), 404);
    assert.equal(value("meta-data/constructor"), 404);
  });

  test("user data is the bytes that were sent", () => {
    const bytes = Buffer.from([0x23, 0x21, 0x00, 0xff, 0xc3, 0xa9]);
    const said = value("user-data", { instance: { userData: bytes.toString("base64") } });
    assert.deepEqual(Buffer.from(String(said), "latin1"), bytes);
  });

  test("the identity document", () => {
    const document = JSON.parse(String(value("dynamic/instance-identity/document")));
    assert.deepEqual(
      [document.instanceId, document.accountId, document.privateIp, document.region, document.pendingTime],
      ["i-1", "111111111111", "10.0.0.5", "us-east-1", "2025-12-31T23:59:00Z"],
    );
  });
});

test("a folder is the names in it", () => {
  assert.equal(ask("/").body, "latest/");
  assert.deepEqual(String(value("")).split("\n"), ["dynamic/", "meta-data/"]);
  assert.equal(value("meta-data/network/interfaces/macs/"), `${MAC}/`);
  assert.deepEqual(String(value("meta-data/placement")).split("\n"), [
    "availability-zone",
    "availability-zone-id",
    "region",
  ]);
  assert.ok(!String(value("meta-data/", { isPublic: false })).includes("public-ipv4"));
});

describe("sessions", () => {
  const session = (seconds: string, asked: Asked = {}) =>
    ask("/latest/api/token", { method: "PUT", headers: { [TTL]: seconds }, ...asked });

  test("a token admits until its time is over", () => {
    const { status, body: token, headers } = session("60");
    assert.deepEqual([status, headers], [200, { [TTL]: "60" }]);
    const withIt = { headers: { [TOKEN]: token } };
    assert.equal(value("meta-data/instance-id", withIt), "i-1");
    assert.equal(value("meta-data/instance-id", { ...withIt, later: 59_999 }), "i-1");
    assert.equal(value("meta-data/instance-id", { ...withIt, later: 60_000 }), 401);
  });

  test("a token is its instance's alone, and nobody makes one", () => {
    const { body: token } = session("60");
    assert.equal(value("meta-data/instance-id", { vpcId: "vpc-2", headers: { [TOKEN]: token } }), 401);
    const [until = "", mark = ""] = token.split("-");
    const longer = (Number.parseInt(until, 36) + 1).toString(36);
    for (const made of ["", "x", `${longer}-${mark}`, `${until}-`, `${token}x`])
      assert.equal(value("meta-data/instance-id", { headers: { [TOKEN]: made } }), 401, made);
  });

  test("a session lasts a second to six hours, and is not for proxies", () => {
    for (const seconds of ["", "0", "-1", "21601", "1.5", "x"])
      assert.equal(session(seconds).status, 400, seconds);
    for (const seconds of ["1", "21600"]) assert.equal(session(seconds).status, 200, seconds);
    const headers = { [TTL]: "60", "x-forwarded-for": "10.0.0.1" };
    assert.equal(session("60", { headers }).status, 403);
  });

  test("the instance may ask for sessions alone, or for no metadata", () => {
    const only = { instance: { metadataOptions: { endpoint: "enabled", tokens: "required" } } } as const;
    assert.equal(value("meta-data/instance-id", only), 401);
    const { body: token } = session("60", only);
    assert.equal(value("meta-data/instance-id", { ...only, headers: { [TOKEN]: token } }), "i-1");
    const off = { instance: { metadataOptions: { endpoint: "disabled", tokens: "optional" } } } as const;
    assert.equal(value("meta-data/instance-id", off), 403);
    assert.equal(session("60", off).status, 403);
  });

  test("nothing else is done here", () => {
    for (const method of ["POST", "DELETE"]) assert.equal(ask("/latest/meta-data/", { method }).status, 405);
    assert.equal(ask("/latest/meta-data/", { method: "PUT" }).status, 404);
    assert.equal(ask("/latest/meta-data/instance-id", { method: "HEAD" }).status, 200);
  });
});
