/** The log of requests, as benches read it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CreateVpcCommand, DescribeVpcsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { type LoggedRequest, RequestLog } from "./requestLog.ts";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeVpc } from "./testNetwork.ts";

const A = "111111111111";

let sandbox: TestSandbox;
let client: EC2Client;
before(async () => {
  sandbox = await startSandbox({ settings: { requestLogSize: 50 } });
  client = sandbox.client(A, "eu-west-1");
});
after(() => sandbox.close());

async function read(since = 0): Promise<{ requests: LoggedRequest[]; last: number }> {
  return (await sandbox.own(`GET requests?since=${since}`)).value as never;
}

test("every signed request is there in order, with what became of it", async () => {
  await makeVpc(client);
  await client.send(new DescribeVpcsCommand({}));
  await assert.rejects(client.send(new CreateVpcCommand({})));
  await sandbox.own("POST faults", { operation: "CreateVpc", kind: "dropAfter", count: 1 });
  await assert.rejects(makeVpc(client, "10.2.0.0/16"));
  const sts = new STSClient({
    endpoint: sandbox.url,
    region: "us-east-1",
    credentials: { accessKeyId: A, secretAccessKey: "test" },
  });
  const { $metadata } = await sts.send(new GetCallerIdentityCommand({}));
  sts.destroy();
  const { requests, last } = await read();
  const rows = requests.map(({ n, service, operation, region, mutating, status, error, fault }) =>
    [n, service, operation, region, mutating, status, error, fault].join(" "),
  );
  assert.deepEqual(rows, [
    "1 ec2 CreateVpc eu-west-1 true 200  ",
    "2 ec2 DescribeVpcs eu-west-1 false 200  ",
    "3 ec2 CreateVpc eu-west-1 true 400 MissingParameter ",
    "4 ec2 CreateVpc eu-west-1 true 0  dropAfter",
    "5 sts GetCallerIdentity us-east-1 false 200  ",
  ]);
  assert.equal(last, 5);
  assert.deepEqual(new Set(requests.map((one) => one.account)), new Set([A]));
  assert.equal(requests.at(-1)?.requestId, $metadata.requestId);
  assert.equal(requests[0]?.at, sandbox.clock.now());
  assert.deepEqual(
    (await read(3)).requests.map((one) => one.n),
    [4, 5],
  );
});

test("a request with a wrong secret has no account; one without a signature is not there", async () => {
  const { last } = await read();
  const wrong = new EC2Client({
    endpoint: sandbox.url,
    region: "eu-west-1",
    maxAttempts: 1,
    credentials: { accessKeyId: A, secretAccessKey: "wrong" },
  });
  await assert.rejects(wrong.send(new DescribeVpcsCommand({})));
  wrong.destroy();
  await fetch(sandbox.url, { method: "POST", body: "Action=DescribeVpcs" });
  const { requests } = await read(last);
  assert.deepEqual(
    requests.map(({ account, operation, status, error }) => [account, operation, status, error]),
    [["", "DescribeVpcs", 401, "AuthFailure"]],
  );
});

test("it keeps the last so many; cleared, it counts on", async () => {
  for (let i = 0; i < 60; i++) await client.send(new DescribeVpcsCommand({}));
  const { requests, last } = await read();
  assert.equal(requests.length, 50);
  assert.deepEqual([requests[0]?.n, requests.at(-1)?.n], [last - 49, last]);
  assert.equal((await sandbox.own("DELETE requests")).status, 204);
  assert.deepEqual(await read(), { requests: [], last });
  await client.send(new DescribeVpcsCommand({}));
  assert.equal((await read()).requests[0]?.n, last + 1);
  assert.equal((await sandbox.own("GET requests?since=x")).status, 400);
});

test("its size changes while it runs; none keeps none", () => {
  const log = new RequestLog(3);
  const request = { at: 0, service: "ec2", operation: "X", account: A, region: "eu-west-1" } as LoggedRequest;
  for (let i = 0; i < 500; i++) log.add(request);
  const numbers = () => log.after(0).requests.map((one) => one.n);
  assert.deepEqual(numbers(), [498, 499, 500]);
  log.resize(1);
  assert.deepEqual(numbers(), [500]);
  log.resize(0);
  log.add(request);
  assert.deepEqual(log.after(0), { requests: [], last: 501 });
});
