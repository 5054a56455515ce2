/** Tags over the wire: their rules, and the nouns that keep them in unusual places. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import {
  CreateTagsCommand,
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  DeleteTagsCommand,
  DescribeTagsCommand,
  DescribeVpcsCommand,
  type EC2Client,
  type Tag,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";

const A = "111111111111";
const B = "222222222222";

let sandbox: TestSandbox;
let client: EC2Client;
beforeEach(async () => {
  sandbox = await startSandbox();
  client = sandbox.client(A, "us-east-1");
});
afterEach(() => sandbox.close());

async function make(Tags: Tag[] = [], ResourceType = "vpc", by = client): Promise<string> {
  const TagSpecifications = Tags.length > 0 ? [{ ResourceType: ResourceType as "vpc", Tags }] : [];
  const { Vpc } = await by.send(new CreateVpcCommand({ CidrBlock: "10.4.0.0/16", TagSpecifications }));
  return Vpc?.VpcId ?? "";
}

async function refuses(call: Promise<unknown>, name: string): Promise<void> {
  await assert.rejects(call, { name });
}

async function tagsOf(id: string, by = client): Promise<string[]> {
  const Filters = [{ Name: "resource-id", Values: [id] }];
  const { Tags = [] } = await by.send(new DescribeTagsCommand({ Filters }));
  return Tags.map((tag) => `${tag.ResourceType} ${tag.Key}=${tag.Value}`);
}

const add = (id: string, Tags: Tag[]) => client.send(new CreateTagsCommand({ Resources: [id], Tags }));
const drop = (id: string, Tags?: Tag[]) => client.send(new DeleteTagsCommand({ Resources: [id], Tags }));

test("tags that AWS refuses make nothing", async () => {
  await refuses(make([{ Key: "aws:x", Value: "1" }]), "InvalidParameterValue");
  await refuses(make([{ Key: "", Value: "1" }]), "InvalidParameterValue");
  await refuses(make([{ Key: "k".repeat(129), Value: "1" }]), "InvalidParameterValue");
  await refuses(make([{ Key: "k", Value: "v".repeat(257) }]), "InvalidParameterValue");
  const twice = [
    { Key: "k", Value: "1" },
    { Key: "k", Value: "2" },
  ];
  await refuses(make(twice), "InvalidParameterValue");
  await refuses(make([{ Key: "k", Value: "1" }], "subnet"), "InvalidParameterValue");
  const many = Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: "" }));
  await refuses(make(many), "TagLimitExceeded");
  const { Vpcs } = await client.send(new DescribeVpcsCommand({}));
  assert.equal(Vpcs?.length, 1);
  await make(many.slice(1));
});

test("tags are added, replaced and taken away by key and value", async () => {
  const id = await make([
    { Key: "a", Value: "1" },
    { Key: "b", Value: "2" },
  ]);
  await add(id, [
    { Key: "b", Value: "3" },
    { Key: "c", Value: "" },
  ]);
  assert.deepEqual(await tagsOf(id), ["vpc a=1", "vpc b=3", "vpc c="]);
  await drop(id, [{ Key: "a" }, { Key: "b", Value: "2" }, { Key: "c", Value: "" }]);
  assert.deepEqual(await tagsOf(id), ["vpc b=3"]);
  await drop(id);
  assert.deepEqual(await tagsOf(id), []);
});

test("the limit counts what is there", async () => {
  const id = await make(Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: "" })));
  await add(id, [{ Key: "k0", Value: "again" }]);
  await refuses(add(id, [{ Key: "new", Value: "" }]), "TagLimitExceeded");
});

test("a request that fails half-way changes nothing", async () => {
  const full = await make(Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: "" })));
  const others = [await make(), await make(), await make()];
  const Tags = [{ Key: "new", Value: "" }];
  const Resources = [...others, full].sort();
  await refuses(client.send(new CreateTagsCommand({ Resources, Tags })), "TagLimitExceeded");
  await refuses(
    client.send(new CreateTagsCommand({ Resources: Resources.reverse(), Tags })),
    "TagLimitExceeded",
  );
  for (const id of others) assert.deepEqual(await tagsOf(id), []);
});

test("one missing id and nothing is tagged; each noun is missed in its own words", async () => {
  const id = await make();
  const Tags = [{ Key: "k", Value: "v" }];
  for (const [other, name] of [
    ["subnet-0123456789abcdef0", "InvalidSubnetID.NotFound"],
    ["pcx-0123456789abcdef0", "InvalidVpcPeeringConnectionID.NotFound"],
    ["sgr-0123456789abcdef0", "InvalidSecurityGroupRuleId.NotFound"],
    ["nonsense", "InvalidID"],
  ] as const)
    await refuses(client.send(new CreateTagsCommand({ Resources: [id, other], Tags })), name);
  assert.deepEqual(await tagsOf(id), []);
  await refuses(
    sandbox.client(B, "us-east-1").send(new CreateTagsCommand({ Resources: [id], Tags })),
    "InvalidVpcID.NotFound",
  );
});

test("each side of a peering has tags of its own", async () => {
  const customer = sandbox.client(B, "us-east-1");
  const [ours, theirs] = [await make(), await make([], "vpc", customer)];
  const request = { VpcId: theirs, PeerVpcId: ours, PeerOwnerId: A };
  const made = await customer.send(new CreateVpcPeeringConnectionCommand(request));
  const pcx = made.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
  await add(pcx, [{ Key: "side", Value: "accepter" }]);
  const theirTags = [{ Key: "side", Value: "requester" }];
  await customer.send(new CreateTagsCommand({ Resources: [pcx], Tags: theirTags }));
  assert.deepEqual(await tagsOf(pcx), ["vpc-peering-connection side=accepter"]);
  assert.deepEqual(await tagsOf(pcx, customer), ["vpc-peering-connection side=requester"]);
});

test("resources are found by their tags, wildcards and all", async () => {
  const id = await make([{ Key: "Name", Value: "letsdata-Clicks*vpc" }]);
  const find = async (Name: string, ...Values: string[]) => {
    const { Vpcs = [] } = await client.send(new DescribeVpcsCommand({ Filters: [{ Name, Values }] }));
    return Vpcs.map((vpc) => vpc.VpcId);
  };
  assert.deepEqual(await find("tag:Name", "letsdata-*"), [id]);
  assert.deepEqual(await find("tag:Name", "letsdata-?licks\\*vpc"), [id]);
  assert.deepEqual(await find("tag:Name", "letsdata"), []);
  assert.deepEqual(await find("tag:name", "*"), []);
  assert.deepEqual(await find("tag-key", "Name"), [id]);
  assert.deepEqual(await find("tag-value", "no", "*vpc"), [id]);
});
