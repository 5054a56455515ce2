/** Service Quotas with its own client: the numbers the cloud refuses by. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DescribeAccountAttributesCommand } from "@aws-sdk/client-ec2";
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  ListAWSDefaultServiceQuotasCommand,
  ListServiceQuotasCommand,
  ListServicesCommand,
  NoSuchResourceException,
  paginateListAWSDefaultServiceQuotas,
  RequestServiceQuotaIncreaseCommand,
  ServiceQuotasClient,
  TooManyRequestsException,
} from "@aws-sdk/client-service-quotas";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeAddress } from "./testNetwork.ts";

const A = "111111111111";
const ADDRESSES = { ServiceCode: "ec2", QuotaCode: "L-0263D0A3" };
const VPCS = { ServiceCode: "vpc", QuotaCode: "L-F678F1CE" };

/** Our own defaults, written out again from AWS's pages. */
const DEFAULTS = {
  "L-F678F1CE": 5,
  "L-A4707A72": 5,
  "L-407747CB": 200,
  "L-83CA0A9D": 5,
  "L-FE5A380F": 5,
  "L-589F43AA": 200,
  "L-93826ACB": 500,
  "L-E79EC296": 2_500,
  "L-0EA8095F": 60,
  "L-2AFB9258": 5,
  "L-B4A6D682": 200,
  "L-2AEEBF1A": 20,
  "L-DF5E4CA3": 5_000,
  "L-1B52E74A": 20,
  "L-7E9ECCDB": 50,
  "L-DC9F7029": 25,
};

describe("Service Quotas", () => {
  let sandbox: TestSandbox;
  let client: ServiceQuotasClient;
  before(async () => {
    sandbox = await startSandbox({ profile: "aws", settings: { throttling: false, unseenMsMax: 0 } });
    client = clientOf();
  });
  after(async () => {
    client.destroy();
    await sandbox.close();
  });

  function clientOf(secretAccessKey = "test"): ServiceQuotasClient {
    const credentials = { accessKeyId: A, secretAccessKey };
    return new ServiceQuotasClient({
      endpoint: sandbox.url,
      region: "eu-west-1",
      credentials,
      maxAttempts: 1,
    });
  }

  const applied = (input = ADDRESSES) => client.send(new GetServiceQuotaCommand(input));

  test("the defaults are AWS's", async () => {
    const { Quota } = await client.send(new GetAWSDefaultServiceQuotaCommand(ADDRESSES));
    assert.deepEqual(Quota, {
      ...ADDRESSES,
      ServiceName: "Amazon Elastic Compute Cloud (Amazon EC2)",
      QuotaArn: "arn:aws:servicequotas:eu-west-1::ec2/L-0263D0A3",
      QuotaName: "EC2-VPC Elastic IPs",
      Value: 5,
      Unit: "None",
      Adjustable: true,
      GlobalQuota: false,
    });
    const { Quotas = [] } = await client.send(new ListAWSDefaultServiceQuotasCommand({ ServiceCode: "vpc" }));
    assert.deepEqual(Object.fromEntries(Quotas.map((one) => [one.QuotaCode, one.Value])), DEFAULTS);
  });

  test("MSK's and Lambda's are there too", async () => {
    const values = async (ServiceCode: string) => {
      const { Quotas = [] } = await client.send(new ListAWSDefaultServiceQuotasCommand({ ServiceCode }));
      return Object.fromEntries(Quotas.map((one) => [one.QuotaCode, one.Value]));
    };
    assert.deepEqual(await values("kafka"), { "L-03FD6822": 60, "L-EDD31C36": 90, "L-FAB9E493": 30 });
    assert.deepEqual(await values("lambda"), { "L-9FEE3D26": 500, "L-B99A9384": 1_000 });
  });

  test("a quota that was never changed has no applied value", async () => {
    await assert.rejects(applied(), NoSuchResourceException);
    const { Quotas } = await client.send(new ListServiceQuotasCommand({ ServiceCode: "vpc" }));
    assert.deepEqual(Quotas, []);
  });

  test("a raised one has, and it is what the cloud goes by", async () => {
    await sandbox.own("PATCH settings", { addressesQuota: 6, vpcsQuota: 100 });
    const { Quota } = await applied();
    assert.deepEqual(
      [Quota?.Value, Quota?.QuotaArn, Quota?.QuotaAppliedAtLevel],
      [6, `arn:aws:servicequotas:eu-west-1:${A}:ec2/L-0263D0A3`, "ACCOUNT"],
    );
    assert.equal((await applied(VPCS)).Quota?.Value, 100);
    const { Quotas } = await client.send(new ListServiceQuotasCommand({ ServiceCode: "vpc" }));
    assert.deepEqual(
      Quotas?.map((one) => [one.QuotaCode, one.Value]),
      [["L-F678F1CE", 100]],
    );
    const ec2 = sandbox.client(A, "eu-west-1");
    for (let i = 0; i < 6; i++) await makeAddress(ec2);
    await assert.rejects(makeAddress(ec2), { name: "AddressLimitExceeded" });
    const AttributeNames = ["vpc-max-elastic-ips", "max-elastic-ips"] as never;
    const { AccountAttributes = [] } = await ec2.send(
      new DescribeAccountAttributesCommand({ AttributeNames }),
    );
    const values = AccountAttributes.map((one) => one.AttributeValues?.[0]?.AttributeValue);
    assert.deepEqual(values, ["6", "6"]);
  });

  test("lists come in pages", async () => {
    const pages = paginateListAWSDefaultServiceQuotas({ client, pageSize: 6 }, { ServiceCode: "vpc" });
    const sizes: number[] = [];
    const codes: string[] = [];
    for await (const { Quotas = [] } of pages) {
      sizes.push(Quotas.length);
      codes.push(...Quotas.map((one) => one.QuotaCode ?? ""));
    }
    assert.deepEqual(sizes, [6, 6, 4]);
    assert.deepEqual(codes, Object.keys(DEFAULTS).sort());
    const wrong = (input: object) =>
      client.send(new ListAWSDefaultServiceQuotasCommand({ ServiceCode: "vpc", ...input }));
    await assert.rejects(wrong({ NextToken: "?" }), { name: "InvalidPaginationTokenException" });
    await assert.rejects(wrong({ MaxResults: 0 }), { name: "ValidationException" });
    const { Services } = await client.send(new ListServicesCommand({}));
    assert.deepEqual(
      Services?.map((one) => one.ServiceCode),
      ["ec2", "kafka", "lambda", "vpc"],
    );
  });

  test("what is not there, not given, not ours or not allowed is refused as AWS does", async () => {
    await assert.rejects(applied({ ServiceCode: "EC2", QuotaCode: "L-0263D0A3" }), NoSuchResourceException);
    await assert.rejects(applied({ ServiceCode: "vpc", QuotaCode: "L-0263D0A3" }), NoSuchResourceException);
    await assert.rejects(client.send(new GetServiceQuotaCommand({ ServiceCode: "ec2" } as never)), {
      name: "ValidationException",
    });
    await assert.rejects(client.send(new RequestServiceQuotaIncreaseCommand({ ...VPCS, DesiredValue: 7 })), {
      name: "UnknownOperationException",
    });
    const stranger = clientOf("wrong");
    await assert.rejects(stranger.send(new GetServiceQuotaCommand(VPCS)), {
      name: "InvalidSignatureException",
    });
    stranger.destroy();
  });

  test("ten at once and five a second, by the clock", async () => {
    await sandbox.own("PATCH settings", { throttling: true });
    const outcomes = async (count: number) => {
      const all = await Promise.allSettled(Array.from({ length: count }, () => applied()));
      const refused = all.flatMap((one) => (one.status === "rejected" ? one.reason : []));
      assert.ok(refused.every((reason) => reason instanceof TooManyRequestsException));
      return count - refused.length;
    };
    assert.equal(await outcomes(14), 10);
    sandbox.clock.advance(1_000);
    assert.equal(await outcomes(14), 5);
  });
});
