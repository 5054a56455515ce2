/** What clients of EC2-Classic's time still ask, over the wire. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import {
  CreateVpcCommand,
  DescribeVpcClassicLinkCommand,
  DescribeVpcClassicLinkDnsSupportCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";

let sandbox: TestSandbox;
let client: EC2Client;
let VpcId: string;
beforeEach(async () => {
  sandbox = await startSandbox();
  client = sandbox.client("111111111111", "us-east-1");
  const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: "10.4.0.0/16" }));
  VpcId = Vpc?.VpcId ?? "";
});
afterEach(() => sandbox.close());

test("no VPC has ClassicLink", async () => {
  const VpcIds = [VpcId];
  const link = await client.send(new DescribeVpcClassicLinkCommand({ VpcIds }));
  assert.deepEqual(link.Vpcs, [{ VpcId, ClassicLinkEnabled: false, Tags: [] }]);
  const dns = await client.send(new DescribeVpcClassicLinkDnsSupportCommand({ VpcIds }));
  assert.deepEqual(dns.Vpcs, [{ VpcId, ClassicLinkDnsSupported: false }]);
});

test("a VPC that is not there is missed", async () => {
  const VpcIds = ["vpc-0123456789abcdef0"];
  const missed = { name: "InvalidVpcID.NotFound" };
  await assert.rejects(client.send(new DescribeVpcClassicLinkCommand({ VpcIds })), missed);
  await assert.rejects(client.send(new DescribeVpcClassicLinkDnsSupportCommand({ VpcIds })), missed);
});
