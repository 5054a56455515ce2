/** Faults by name and by chance: what a client sees, and what has been done all the same. */
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import {
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteVpcCommand,
  DescribeVpcsCommand,
  type EC2Client,
  ReleaseAddressCommand,
} from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { LoggedRequest } from "./requestLog.ts";
import { createSandbox } from "./server.ts";
import { patchFrom, settings } from "./settings.ts";
import { DrivenClock, startSandbox, type TestSandbox } from "./testing.ts";
import { makeAddress, makeSubnet, makeVpc } from "./testNetwork.ts";

const A = "111111111111";
const B = "222222222222";

let sandbox: TestSandbox;
let client: EC2Client;
beforeEach(async () => {
  await sandbox?.close();
  sandbox = await startSandbox();
  client = sandbox.client(A, "eu-west-1");
});
after(() => sandbox.close());

async function place(fault: object): Promise<string> {
  const { status, value } = await sandbox.own("POST faults", { count: 1, ...fault });
  assert.equal(status, 201, JSON.stringify(value));
  return String(value?.id);
}

async function placed(): Promise<unknown> {
  return (await sandbox.own("GET faults")).value?.faults;
}

async function logged(): Promise<LoggedRequest[]> {
  const { value = {} } = await sandbox.own("GET requests");
  return value.requests as LoggedRequest[];
}

async function blocks(by = client): Promise<(string | undefined)[]> {
  const Filters = [{ Name: "is-default", Values: ["false"] }];
  const { Vpcs = [] } = await by.send(new DescribeVpcsCommand({ Filters }));
  return Vpcs.map((vpc) => vpc.CidrBlock);
}

/** The error's code and HTTP status; "cut" when there was no answer. */
async function outcome(call: Promise<unknown>): Promise<unknown[] | "done" | "cut"> {
  try {
    await call;
    return "done";
  } catch (thrown) {
    const { name, code, $metadata } = thrown as Error & {
      code?: string;
      $metadata?: { httpStatusCode?: number };
    };
    if (code === "ECONNRESET") return "cut";
    return [name, $metadata?.httpStatusCode];
  }
}

describe("faults by name", () => {
  test("throttle, error, quota, notFound: nothing is done, and then it is as always", async () => {
    const VpcId = await makeVpc(client);
    const kinds = [
      [{ kind: "throttle" }, ["RequestLimitExceeded", 503]],
      [{ kind: "error" }, ["InternalError", 500]],
      [{ kind: "error", code: "Unavailable" }, ["Unavailable", 503]],
      [{ kind: "error", code: "AuthFailure" }, ["AuthFailure", 400]],
      [{ kind: "error", code: "Odd", status: 418 }, ["Odd", 418]],
      [{ kind: "quota" }, ["SubnetLimitExceeded", 400]],
      [{ kind: "notFound" }, ["InvalidVpcID.NotFound", 400]],
      [{ kind: "notFound", code: "InvalidVpcId.NotFound" }, ["InvalidVpcId.NotFound", 400]],
    ] as const;
    const create = () => outcome(client.send(new CreateSubnetCommand({ VpcId, CidrBlock: "10.1.0.0/24" })));
    for (const [fault, expected] of kinds) {
      await place({ operation: "CreateSubnet", ...fault });
      assert.deepEqual(await create(), expected);
    }
    assert.equal(await create(), "done");
    assert.deepEqual(await placed(), []);
  });

  test("dropBefore cuts the connection before anything is done, dropAfter after it is", async () => {
    const create = (CidrBlock: string) => outcome(client.send(new CreateVpcCommand({ CidrBlock })));
    await place({ operation: "CreateVpc", kind: "dropBefore" });
    assert.equal(await create("10.1.0.0/16"), "cut");
    assert.deepEqual(await blocks(), []);
    await place({ operation: "CreateVpc", kind: "dropAfter" });
    assert.equal(await create("10.2.0.0/16"), "cut");
    assert.deepEqual(await blocks(), ["10.2.0.0/16"]);
    await place({ operation: "DeleteVpc", kind: "dropAfter" });
    assert.equal(await outcome(client.send(new DeleteVpcCommand({ VpcId: "vpc-0" }))), "cut");
  });

  test("a delayed request is done at once and answered by the clock", async () => {
    await place({ operation: "CreateVpc", kind: "delay", delayMs: 5_000 });
    let answered = false;
    const slow = makeVpc(client).then(() => {
      answered = true;
    });
    while ((await blocks()).length === 0);
    sandbox.clock.advance(4_999);
    assert.equal((await blocks()).length, 1);
    assert.equal(answered, false);
    sandbox.clock.advance(1);
    await slow;
  });

  test("who waits for a delayed answer is let go when the sandbox closes", async () => {
    await place({ operation: "DescribeVpcs", kind: "delay", delayMs: 5_000 });
    const waiting = outcome(client.send(new DescribeVpcsCommand({})));
    while ((await logged()).length === 0);
    await sandbox.close();
    await waiting;
  });

  test("it hits as many as it was asked for, after those it skips, and the oldest that fits strikes", async () => {
    const id = await place({ operation: "DescribeVpcs", kind: "error", code: "First", count: 2, skip: 1 });
    await place({ operation: "*", kind: "error", code: "Second" });
    const look = () => outcome(client.send(new DescribeVpcsCommand({})));
    assert.deepEqual(await look(), ["Second", 400]);
    assert.deepEqual(await look(), ["First", 400]);
    const left = { operation: "DescribeVpcs", kind: "error", code: "First", count: 2, skip: 1, left: 1 };
    assert.deepEqual(await placed(), [{ id, ...left }]);
    assert.deepEqual(await look(), ["First", 400]);
    assert.equal(await look(), "done");
  });

  test("it hits only whom it is meant for: account, region, service, values, tags", async () => {
    const [a, b] = [await makeVpc(client), await makeVpc(client, "10.2.0.0/16")];
    const error = { kind: "error", code: "Hit" };
    const look = (input = {}, by = client) => outcome(by.send(new DescribeVpcsCommand(input)));
    await place({ operation: "*", account: B, ...error });
    await place({ operation: "*", region: "us-east-1", ...error });
    await place({ operation: "*", service: "sts", ...error });
    await place({ operation: "DescribeVpcs", match: { VpcIds: a }, ...error });
    await place({ operation: "DeleteVpc", match: { VpcId: a }, ...error });
    await place({ operation: "CreateVpc", match: { "tag:key": "two" }, ...error });
    await place({ operation: "DescribeVpcs", match: { "Filters.Name": "state" }, ...error });
    assert.equal(await look(), "done");
    assert.equal(await look({ VpcIds: [b] }), "done");
    assert.deepEqual(await look({ VpcIds: [b, a] }), ["Hit", 400]);
    assert.deepEqual(await look({ Filters: [{ Name: "state", Values: ["x"] }] }), ["Hit", 400]);
    assert.deepEqual(await look({}, sandbox.client(B, "eu-west-1")), ["Hit", 400]);
    assert.deepEqual(await look({}, sandbox.client(A, "us-east-1")), ["Hit", 400]);
    assert.equal(await outcome(client.send(new DeleteVpcCommand({ VpcId: b }))), "done");
    assert.deepEqual(await outcome(client.send(new DeleteVpcCommand({ VpcId: a }))), ["Hit", 400]);
    const tagged = (Value: string) => {
      const TagSpecifications = [{ ResourceType: "vpc" as const, Tags: [{ Key: "key", Value }] }];
      return outcome(client.send(new CreateVpcCommand({ CidrBlock: "10.3.0.0/16", TagSpecifications })));
    };
    assert.equal(await tagged("one"), "done");
    assert.deepEqual(await tagged("two"), ["Hit", 400]);
    const credentials = { accessKeyId: A, secretAccessKey: "test" };
    const sts = new STSClient({ endpoint: sandbox.url, region: "eu-west-1", credentials, maxAttempts: 1 });
    assert.deepEqual(await outcome(sts.send(new GetCallerIdentityCommand({}))), ["Hit", 400]);
    sts.destroy();
  });

  test("a kind that does not concern an operation passes it by", async () => {
    await place({ operation: "*", kind: "quota" });
    await place({ operation: "*", kind: "notFound" });
    assert.deepEqual(await blocks(), []);
    assert.deepEqual(await outcome(client.send(new CreateVpcCommand({ CidrBlock: "10.1.0.0/16" }))), [
      "VpcLimitExceeded",
      400,
    ]);
    const VpcId = await makeVpc(client);
    assert.deepEqual(await outcome(makeSubnet(client, VpcId)), ["InvalidVpcID.NotFound", 400]);
  });

  test("an address that cannot be released three times can be the fourth", async () => {
    const AllocationId = await makeAddress(client);
    await place({ operation: "ReleaseAddress", kind: "error", code: "AuthFailure", count: 3 });
    const release = () => outcome(client.send(new ReleaseAddressCommand({ AllocationId })));
    for (let i = 0; i < 3; i++) assert.deepEqual(await release(), ["AuthFailure", 400]);
    assert.equal(await release(), "done");
  });

  test("they are taken away one by one, all together, and by a reset", async () => {
    const fault = { operation: "DescribeVpcs", kind: "error" };
    const [first, second] = [await place(fault), await place(fault)];
    assert.equal((await sandbox.own(`DELETE faults/${first}`)).status, 204);
    assert.equal((await sandbox.own(`DELETE faults/${first}`)).status, 404);
    assert.deepEqual(await placed(), [{ id: second, ...fault, count: 1, left: 1 }]);
    assert.equal((await sandbox.own("DELETE faults")).status, 204);
    await place(fault);
    await sandbox.own("POST reset");
    assert.deepEqual(await placed(), []);
    assert.deepEqual(await blocks(), []);
  });

  const IMPOSSIBLE = [
    { operation: "CreateVpcs", kind: "error", count: 1 },
    { operation: "CreateVpc", kind: "explode", count: 1 },
    { operation: "CreateVpc", kind: "error" },
    { operation: "CreateVpc", kind: "error", count: 0 },
    { operation: "CreateVpc", kind: "delay", count: 1 },
    { operation: "DescribeVpcs", kind: "quota", count: 1 },
    { operation: "CreateVpc", kind: "error", count: 1, colour: "red" },
    { operation: "CreateVpc", kind: "error", count: 1, status: 200 },
    { operation: "CreateVpc", kind: "error", count: 1, match: { VpcId: 1 } },
    [],
  ];
  test("what cannot be is refused with a reason", async () => {
    for (const fault of IMPOSSIBLE) {
      const { status, value } = await sandbox.own("POST faults", fault);
      assert.equal(status, 400, JSON.stringify(fault));
      assert.equal(typeof value?.message, "string");
    }
    assert.deepEqual(await placed(), []);
  });
});

describe("faults of the settings", () => {
  const throttled = JSON.stringify([{ operation: "DescribeVpcs", kind: "throttle", count: 1 }]);

  test("are in place from the start, and a change takes their place", async () => {
    await sandbox.close();
    sandbox = await startSandbox({ settings: patchFrom([`faults=${throttled}`]) });
    client = sandbox.client(A, "eu-west-1");
    await assert.rejects(blocks(), { name: "RequestLimitExceeded" });
    assert.deepEqual(await blocks(), []);
    await sandbox.own("PATCH settings", { faults: throttled });
    await sandbox.own("PATCH settings", { chaosPercent: 0 });
    await assert.rejects(blocks(), { name: "RequestLimitExceeded" });
    await place({ operation: "*", kind: "error" });
    await sandbox.own("PATCH settings", { faults: "" });
    assert.deepEqual(await placed(), []);
  });

  test("that cannot be are refused", async () => {
    for (const faults of ["{", "{}", '[{"operation":"CreateVpcs","kind":"error","count":1}]'])
      assert.equal((await sandbox.own("PATCH settings", { faults })).status, 400, faults);
    const unknown = settings("quick", { faults: '[{"operation":"CreateVpcs","kind":"error","count":1}]' });
    await assert.rejects(createSandbox({ clock: new DrivenClock(), settings: unknown }), RangeError);
    assert.throws(() => patchFrom(["faults=[{}]"]), RangeError);
    assert.throws(() => patchFrom(["chaosPercent=101"]), RangeError);
    assert.deepEqual(patchFrom(["throttling=on", "seed=3"]), { throttling: true, seed: 3 });
  });
});

describe("chaos", () => {
  async function run(seed: number, count: number) {
    await sandbox.close();
    sandbox = await startSandbox({ settings: { chaosPercent: 40, seed } });
    client = sandbox.client(A, "eu-west-1");
    const seen: string[] = [];
    for (let i = 0; i < count; i++) {
      const all = await outcome(client.send(new CreateVpcCommand({ CidrBlock: `10.${i}.0.0/16` })));
      seen.push(String(all));
    }
    const faults = (await logged()).map((one) => one.fault);
    await sandbox.own("PATCH settings", { chaosPercent: 0 });
    return { seen, faults, made: await blocks() };
  }

  test("hits its share with every kind, the same for the same seed", async () => {
    const { seen, faults, made } = await run(5, 120);
    const kinds = new Set(faults);
    assert.deepEqual([...kinds].sort(), ["dropAfter", "dropBefore", "error", null, "throttle"].sort());
    const hit = faults.filter((fault) => fault !== null).length;
    assert.ok(hit > 24 && hit < 72, `${hit} of 120`);
    assert.deepEqual(
      new Set(seen),
      new Set(["done", "cut", "RequestLimitExceeded,503", "InternalError,500"]),
    );
    const done = faults.filter((fault) => fault === null || fault === "dropAfter").length;
    assert.equal(made.length, done);
    assert.deepEqual((await run(5, 30)).faults, faults.slice(0, 30));
    assert.notDeepEqual((await run(6, 30)).faults, faults.slice(0, 30));
  });
});
