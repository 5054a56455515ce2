/** AWS's token buckets, emptied by a real client and filled by a driven clock. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import {
  CreateVpcEndpointCommand,
  DeleteNatGatewayCommand,
  DescribeSecurityGroupsCommand,
  DescribeVpcsCommand,
  EC2ServiceException,
  ModifyVpcAttributeCommand,
} from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { rateOf } from "./rates.ts";
import { startSandbox, type TestSandbox } from "./testing.ts";

const A = "111111111111";
const B = "222222222222";
const NOWHERE = "nat-00000000000000000";

describe("throttling", () => {
  let sandbox: TestSandbox;
  afterEach(() => sandbox.close());

  /** How many of `count` calls made at once come through the gate, whatever is answered then. */
  async function through(count: number, call: () => Promise<unknown>): Promise<number> {
    const all = await Promise.allSettled(Array.from({ length: count }, call));
    const refused = all.filter((one) => one.status === "rejected" && isThrottled(one.reason));
    return count - refused.length;
  }

  function isThrottled(error: unknown): boolean {
    if (!(error instanceof EC2ServiceException) || error.name !== "RequestLimitExceeded") return false;
    assert.equal(error.$metadata.httpStatusCode, 503);
    return true;
  }

  test("an action's bucket empties and fills by the clock, beside all others", async () => {
    sandbox = await startSandbox({ settings: { throttling: true } });
    const client = sandbox.client(A, "eu-west-1");
    const remove = (by = client) => by.send(new DeleteNatGatewayCommand({ NatGatewayId: NOWHERE }));
    assert.equal(await through(15, remove), 10);
    sandbox.clock.advance(2_999);
    assert.equal(await through(5, remove), 2);
    sandbox.clock.advance(1);
    assert.equal(await through(5, remove), 1);
    assert.equal(await through(3, () => remove(sandbox.client(B, "eu-west-1"))), 3);
    assert.equal(await through(3, () => remove(sandbox.client(A, "eu-west-2"))), 3);
    assert.equal(await through(3, () => client.send(new DescribeVpcsCommand({}))), 3);
    sandbox.clock.advance(3_600_000);
    assert.equal(await through(15, remove), 10);
  });

  test("each category has its size; endpoints gain a token in three and a third seconds", async () => {
    sandbox = await startSandbox({ settings: { throttling: true } });
    const client = sandbox.client(A, "eu-west-1");
    const look = () => client.send(new DescribeVpcsCommand({}));
    assert.equal(await through(110, look), 100);
    sandbox.clock.advance(500);
    assert.equal(await through(20, look), 10);
    const change = () => client.send(new ModifyVpcAttributeCommand({ VpcId: "vpc-00000000000000000" }));
    assert.equal(await through(60, change), 50);
    const ServiceName = "com.amazonaws.eu-west-1.s3";
    const endpoint = () => client.send(new CreateVpcEndpointCommand({ VpcId: "vpc-0", ServiceName }));
    assert.equal(await through(6, endpoint), 4);
    sandbox.clock.advance(3_333);
    assert.equal(await through(2, endpoint), 0);
    sandbox.clock.advance(1);
    assert.equal(await through(2, endpoint), 1);
  });

  test("without a filter and without pages groups are described from a smaller bucket of their own", async () => {
    sandbox = await startSandbox({ settings: { throttling: true } });
    const client = sandbox.client(A, "eu-west-1");
    const look = (input = {}) => client.send(new DescribeSecurityGroupsCommand(input));
    assert.equal(await through(60, look), 50);
    assert.equal(await through(60, () => look({ MaxResults: 5 })), 60);
    const Filters = [{ Name: "group-name", Values: ["default"] }];
    assert.equal(await through(60, () => look({ Filters })), 40);
  });

  test("a throttled create has made nothing", async () => {
    sandbox = await startSandbox({ settings: { throttling: true } });
    const client = sandbox.client(A, "eu-west-1");
    const { Vpcs: [own] = [] } = await client.send(new DescribeVpcsCommand({}));
    const create = (ServiceName: string) =>
      client.send(new CreateVpcEndpointCommand({ VpcId: own?.VpcId, ServiceName }));
    await through(4, () => create("nonsense"));
    await assert.rejects(create("com.amazonaws.eu-west-1.s3"), { name: "RequestLimitExceeded" });
    sandbox.clock.advance(60_000);
    await create("com.amazonaws.eu-west-1.s3");
  });

  test("off in the profile quick, on in the profile aws, and changed while it runs", async () => {
    sandbox = await startSandbox();
    const client = sandbox.client(A, "eu-west-1");
    const remove = () => client.send(new DeleteNatGatewayCommand({ NatGatewayId: NOWHERE }));
    assert.equal(await through(30, remove), 30);
    await sandbox.own("PATCH settings", { throttling: true });
    assert.equal(await through(30, remove), 10);
    await sandbox.own("PATCH settings", { throttling: false });
    assert.equal(await through(30, remove), 30);
    await sandbox.close();
    sandbox = await startSandbox({ profile: "aws" });
    const strict = sandbox.client(A, "eu-west-1");
    const again = () => strict.send(new DeleteNatGatewayCommand({ NatGatewayId: NOWHERE }));
    assert.equal(await through(30, again), 10);
  });

  test("STS has no bucket here", async () => {
    sandbox = await startSandbox({ profile: "aws" });
    const credentials = { accessKeyId: A, secretAccessKey: "test" };
    const sts = new STSClient({ endpoint: sandbox.url, region: "us-east-1", credentials, maxAttempts: 1 });
    for (let i = 0; i < 120; i++) await sts.send(new GetCallerIdentityCommand({}));
    sts.destroy();
  });
});

test("the sizes that AWS names for single actions", () => {
  const sizeOf = (action: string) => {
    const rate = rateOf({ service: "ec2", action, has: () => false });
    return [rate?.capacity, rate?.refillPerSecond];
  };
  assert.deepEqual(sizeOf("CreateNatGateway"), [10, 1]);
  assert.deepEqual(sizeOf("DeleteVpcEndpoints"), [4, 0.3]);
  assert.deepEqual(sizeOf("CreateTags"), [100, 10]);
  assert.deepEqual(sizeOf("DeleteNetworkInterface"), [100, 5]);
  assert.deepEqual(sizeOf("AcceptVpcPeeringConnection"), [50, 5]);
  assert.deepEqual(sizeOf("DescribeNetworkInterfaces"), [50, 10]);
  assert.deepEqual(sizeOf("DescribeNatGateways"), [100, 20]);
});
