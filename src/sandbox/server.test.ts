/** The sandbox over the wire: the real SDK signs, sends and reads; some requests are made by hand. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteVpcCommand,
  DescribeInstanceTypesCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  EC2Client,
  type EC2ClientConfig,
  paginateDescribeVpcs,
} from "@aws-sdk/client-ec2";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { HttpRequest } from "@smithy/core/protocols";
import { Cloud } from "./cloud.ts";
import { createSandbox } from "./server.ts";
import { settings } from "./settings.ts";
import { DrivenClock, startSandbox, type TestSandbox } from "./testing.ts";

const A = "111111111111";
const B = "222222222222";
const HOUR = 3_600_000;

/** Asserts the error's code and HTTP status. */
async function refuses(call: Promise<unknown>, name: string, status = 400): Promise<void> {
  await assert.rejects(call, (error: { name: string; $metadata: { httpStatusCode: number } }) => {
    assert.deepEqual([error.name, error.$metadata?.httpStatusCode], [name, status]);
    return true;
  });
}

async function vpcIds(client: EC2Client): Promise<string[]> {
  const filters = [{ Name: "is-default", Values: ["false"] }];
  const { Vpcs = [] } = await client.send(new DescribeVpcsCommand({ Filters: filters }));
  return Vpcs.map((vpc) => vpc.VpcId ?? "");
}

async function createVpc(client: EC2Client, block: string): Promise<string> {
  const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: block }));
  return Vpc?.VpcId ?? "";
}

describe("over the wire", () => {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await startSandbox();
  });
  after(() => sandbox.close());

  function ec2(config: EC2ClientConfig): EC2Client {
    return new EC2Client({ endpoint: sandbox.url, region: "us-east-1", maxAttempts: 1, ...config });
  }

  test("accounts and regions lie side by side, each with its default VPC", async () => {
    const east = sandbox.client(A, "us-east-1");
    const west = sandbox.client(A, "us-west-2");
    const other = sandbox.client(B, "us-east-1");
    const id = await createVpc(east, "10.4.0.0/16");
    assert.deepEqual(await vpcIds(east), [id]);
    assert.deepEqual(await vpcIds(west), []);
    assert.deepEqual(await vpcIds(other), []);
    await refuses(other.send(new DescribeVpcsCommand({ VpcIds: [id] })), "InvalidVpcID.NotFound");
    const { Vpcs = [] } = await west.send(new DescribeVpcsCommand({}));
    assert.deepEqual(
      Vpcs.map((vpc) => [vpc.CidrBlock, vpc.IsDefault, vpc.State]),
      [["172.31.0.0/16", true, "available"]],
    );
    const { Subnets = [] } = await west.send(new DescribeSubnetsCommand({}));
    assert.deepEqual(Subnets.map((subnet) => [subnet.AvailabilityZone, subnet.CidrBlock]).sort(), [
      ["us-west-2a", "172.31.0.0/20"],
      ["us-west-2b", "172.31.16.0/20"],
      ["us-west-2c", "172.31.32.0/20"],
      ["us-west-2d", "172.31.48.0/20"],
    ]);
  });

  test("pages follow one another and stay right", async () => {
    const client = sandbox.client(A, "eu-west-1");
    const made = [];
    for (let i = 0; i < 12; i++) made.push(await createVpc(client, `10.${i}.0.0/16`));
    const seen: string[] = [];
    const sizes: number[] = [];
    for await (const { Vpcs = [] } of paginateDescribeVpcs({ client, pageSize: 5 }, {})) {
      seen.push(...Vpcs.map((vpc) => vpc.VpcId ?? ""));
      sizes.push(Vpcs.length);
    }
    assert.deepEqual(sizes, [5, 5, 3]);
    assert.deepEqual(
      made.every((id) => seen.includes(id)),
      true,
    );
    await refuses(client.send(new DescribeVpcsCommand({ NextToken: "nonsense" })), "InvalidNextToken");
    await refuses(client.send(new DescribeVpcsCommand({ MaxResults: 4 })), "InvalidParameterValue");
  });

  test("who may not call: wrong secret, unknown key, other token", async () => {
    const wrong = ec2({ credentials: { accessKeyId: A, secretAccessKey: "wrong" } });
    await refuses(wrong.send(new DescribeVpcsCommand({})), "AuthFailure", 401);
    const unknown = ec2({ credentials: { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "test" } });
    await refuses(unknown.send(new DescribeVpcsCommand({})), "AuthFailure", 401);
    const token = { accessKeyId: A, secretAccessKey: "test", sessionToken: "x" };
    await refuses(ec2({ credentials: token }).send(new DescribeVpcsCommand({})), "AuthFailure", 401);
    const nowhere = ec2({ credentials: { accessKeyId: A, secretAccessKey: "test" }, region: "xx-nowhere-1" });
    await refuses(nowhere.send(new DescribeVpcsCommand({})), "AuthFailure", 401);
    const sts = new STSClient({
      endpoint: sandbox.url,
      region: "us-east-1",
      maxAttempts: 1,
      credentials: { accessKeyId: A, secretAccessKey: "wrong" },
    });
    await refuses(sts.send(new GetCallerIdentityCommand({})), "SignatureDoesNotMatch", 403);
  });

  test("parameters: missing, unknown, dry run, actions without a handler", async () => {
    const client = sandbox.client(A, "us-east-1");
    const before = await vpcIds(client);
    await refuses(client.send(new DeleteVpcCommand({ VpcId: undefined })), "MissingParameter");
    await refuses(
      client.send(new CreateVpcCommand({ CidrBlock: "10.9.0.0/16", DryRun: true })),
      "DryRunOperation",
      412,
    );
    await refuses(client.send(new DescribeInstanceTypesCommand({})), "InvalidAction");
    await refuses(
      client.send(new DescribeVpcsCommand({ Filters: [{ Name: "colour", Values: ["red"] }] })),
      "InvalidParameterValue",
    );
    assert.deepEqual(await vpcIds(client), before);
  });

  test("AssumeRole's keys are the role's account, until they expire", async () => {
    const sts = new STSClient({
      endpoint: sandbox.url,
      region: "us-east-1",
      credentials: { accessKeyId: A, secretAccessKey: "test" },
    });
    const me = await sts.send(new GetCallerIdentityCommand({}));
    assert.deepEqual([me.Account, me.Arn], [A, `arn:aws:iam::${A}:root`]);
    const RoleArn = `arn:aws:iam::${B}:role/platform/network`;
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "test" }));
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    };
    const assumed = ec2({ credentials, region: "us-east-2" });
    const id = await createVpc(assumed, "10.7.0.0/16");
    assert.deepEqual(await vpcIds(sandbox.client(B, "us-east-2")), [id]);
    const session = new STSClient({ endpoint: sandbox.url, region: "us-east-1", credentials });
    const them = await session.send(new GetCallerIdentityCommand({}));
    assert.equal(them.Arn, `arn:aws:sts::${B}:assumed-role/network/test`);
    sandbox.clock.advance(HOUR);
    await refuses(assumed.send(new DescribeVpcsCommand({})), "RequestExpired");
    await refuses(session.send(new GetCallerIdentityCommand({})), "ExpiredToken", 403);
    await refuses(
      sts.send(new AssumeRoleCommand({ RoleArn: "arn:aws:iam::1:role/x", RoleSessionName: "test" })),
      "ValidationError",
    );
  });

  test("requests that are not AWS's are answered all the same", async () => {
    const unsigned = await fetch(sandbox.url, { method: "POST", body: "Action=DescribeVpcs" });
    assert.equal(unsigned.status, 403);
    assert.match(await unsigned.text(), /<Code>MissingAuthenticationToken<\/Code>/);
    const authorization = `AWS4-HMAC-SHA256 Credential=${A}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`;
    const unknown = await fetch(sandbox.url, { method: "POST", headers: { authorization } });
    assert.match(await unknown.text(), /<Code>UnknownService<\/Code>/);
    const large = await fetch(sandbox.url, { method: "POST", body: "x".repeat(1024 * 1024 + 1) });
    assert.equal(large.status, 413);
    assert.match(await large.text(), /<Code>RequestEntityTooLarge<\/Code>/);
  });

  test("a request may come as a query string; parameters are checked by name and value", async () => {
    const client = sandbox.client(A, "us-east-1");
    const get = async (query: Record<string, string>) => {
      const { host, hostname, port } = new URL(sandbox.url);
      const request = new HttpRequest({
        method: "GET",
        hostname,
        port: Number(port),
        path: "/",
        query,
        headers: { host },
      });
      const signed = await (await client.config.signer()).sign(request);
      const response = await fetch(`${sandbox.url}/?${new URLSearchParams(query)}`, {
        headers: signed.headers,
      });
      return response.text();
    };
    const filter = { "Filter.1.Name": "cidr", "Filter.1.Value.1": "172.31.0.0/16" };
    assert.match(await get({ Action: "DescribeVpcs", ...filter }), /<vpcId>vpc-0[0-9a-f]{16}<\/vpcId>/);
    assert.match(await get({ Action: "DescribeVpcs", Colour: "red" }), /UnknownParameter.*Colour/);
    assert.match(
      await get({ Action: "DescribeVpcs", "Filter.1.Colour": "red" }),
      /UnknownParameter.*Filter\.1/,
    );
    assert.match(await get({ Action: "DescribeVpcs", MaxResults: "many" }), /InvalidParameterValue.*many/);
    assert.match(await get({ Action: "DescribeVpcs", "Filter.x": "1" }), /UnknownParameter/);
    assert.match(await get({ Action: "Nonsense" }), /InvalidAction/);
    assert.match(await get({ Version: "2016-11-15" }), /MissingAction/);
  });

  test("settings are read and changed by name", async () => {
    const url = `${sandbox.url}/_sandbox/settings`;
    const patch = (body: string) => fetch(url, { method: "PATCH", body });
    assert.equal((await patch('{"natPendingMs": 7}')).status, 200);
    assert.equal(((await (await fetch(url)).json()) as { natPendingMs: number }).natPendingMs, 7);
    assert.equal((await patch('{"natPendingMinutes": 7}')).status, 400);
    assert.equal((await patch('{"natPendingMs": "soon"}')).status, 400);
    assert.equal((await patch("{")).status, 400);
    const page = await fetch(url, { headers: { origin: "http://example.com" } });
    assert.equal(page.status, 403);
  });

  test("reset forgets everything", async () => {
    const client = sandbox.client(A, "us-east-1");
    await createVpc(client, "10.77.0.0/16");
    const health = await fetch(`${sandbox.url}/_sandbox/health`);
    assert.deepEqual(await health.json(), { status: "ok" });
    const reset = await fetch(`${sandbox.url}/_sandbox/reset`, { method: "POST" });
    assert.equal(reset.status, 204);
    assert.deepEqual(await vpcIds(client), []);
    const { Vpcs } = await client.send(new DescribeVpcsCommand({}));
    assert.equal(Vpcs?.length, 1);
  });
});

test("a request made more than five minutes from the sandbox's time is refused", async () => {
  const overrides = { signatureSkewMs: 300_000 };
  const sandbox = await startSandbox({ clock: new DrivenClock(0), settings: overrides });
  try {
    const client = sandbox.client(A, "us-east-1");
    await refuses(client.send(new DescribeVpcsCommand({})), "RequestExpired");
  } finally {
    await sandbox.close();
  }
});

test("two subnets asked for at once cannot both have a block", async () => {
  const sandbox = await startSandbox();
  try {
    const client = sandbox.client(A, "us-east-1");
    const VpcId = await createVpc(client, "10.4.0.0/16");
    const asked = Array.from({ length: 20 }, () =>
      client.send(new CreateSubnetCommand({ VpcId, CidrBlock: "10.4.1.0/24" })),
    );
    const outcomes = await Promise.allSettled(asked);
    assert.equal(outcomes.filter((one) => one.status === "fulfilled").length, 1);
  } finally {
    await sandbox.close();
  }
});

test("an unexpected exception answers InternalError, is logged, and changes nothing", async () => {
  const lines: string[] = [];
  const clock = new DrivenClock();
  const cloud = new Cloud({ clock, settings: settings("quick"), log: (line) => lines.push(line) });
  // A request that is none of HTTP's: the code below trips over it.
  const broken = { method: "POST", url: "/", headers: null as never, body: Buffer.alloc(0) };
  const answer = await cloud.answer(broken);
  assert.equal(answer.status, 500);
  assert.match(String(answer.body), /<Code>InternalError<\/Code>/);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", new RegExp(answer.requestId));
});

test("the port in use is said at once, and closing twice is fine", async () => {
  const make = () => createSandbox({ clock: new DrivenClock(), settings: settings("quick") });
  const [first, second] = [await make(), await make()];
  const { port } = await first.listen(0);
  await assert.rejects(second.listen(port), { code: "EADDRINUSE" });
  await Promise.all([first.close(), first.close(), second.close()]);
});
