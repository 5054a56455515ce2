import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { cli, folder, ok, Peer } from "./testing.ts";

const at = (peer: Peer) => ["--url", peer.url, "--apiKey", "k", "--output", "table"];
const part = (resource: string, monthlyUsd: number | null) => ({
  resource,
  count: 3,
  hourlyUsd: monthlyUsd === null ? null : 0.005,
  monthlyUsd,
});
const cost = {
  monthlyUsd: 10.95,
  atLeast: true,
  parts: [part("elasticIp", 10.95), part("natGateway", null), part("vpc", 0)],
  pricesDate: "2026-11-23",
  region: "eu-west-1",
};

describe("datasets view", () => {
  const step = (order: number, resource: string, change: Record<string, unknown>) => ({
    order,
    resource,
    id: "x-1",
    blockedBy: [],
    whoseMove: "aws",
    usualSeconds: null,
    since: null,
    message: "m",
    hint: null,
    ...change,
  });
  const dataset = { datasetName: "Clicks", status: "ACTIVE", conditions: [], deletePlan: null, cost: null };
  const view = async (answer: Record<string, unknown>) => {
    await using peer = await Peer.start(() => ok({ ...dataset, ...answer }));
    return await cli(["datasets", "view", "--datasetName", "Clicks", ...at(peer)]);
  };

  test("says what it costs, and of an unknown price that it is unknown; what is free is left out", async () => {
    const { stdout } = await view({ cost });
    assert.match(stdout, /elasticIp +3 +0\.005 +10\.95\n/);
    assert.match(stdout, /natGateway +3 +unknown +unknown\n/);
    assert.ok(!stdout.includes("vpc  "));
    assert.match(
      stdout,
      /Costs at least 10\.95 USD a month before traffic \(eu-west-1, prices of 2026-11-23\)\./,
    );
    const unknown = await view({ cost: { ...cost, monthlyUsd: null } });
    assert.match(unknown.stdout, /Costs an unknown sum a month/);
  });

  test("shows the deletion in the place of the conditions, with hints below", async () => {
    const deletePlan = [
      step(2, "nat/0", {
        state: "deleting",
        usualSeconds: 60,
        message: "longer than usual: m",
        hint: "Ask.",
      }),
      step(2, "nat/1", { state: "gone", id: null, message: "nothing of it is left" }),
      step(7, "vpc", { state: "waiting", blockedBy: ["nat/0", "igw", "table/public", "subnet/public/0"] }),
    ];
    const conditions = [{ resource: "nat/0", state: "deleting", message: "the condition" }];
    const { stdout } = await view({ deletePlan, conditions });
    assert.match(stdout, /Being deleted, in this order \(1 of 3 are gone\):/);
    assert.match(stdout, /2 +nat\/0 +x-1 +deleting +- +aws +60 s +longer than usual: m\n/);
    assert.match(stdout, /2 +nat\/1 +- +gone +- +- +- +nothing of it is left\n/);
    assert.match(stdout, /7 +vpc +x-1 +waiting +nat\/0, igw, table\/public, 1 more +aws/);
    assert.match(stdout, /\nnat\/0: Ask\.\n/);
    assert.ok(!stdout.includes("the condition"));
  });
});

describe("datasets create --dryRun", () => {
  const plan = {
    dryRun: true,
    datasetName: "Clicks",
    region: "us-east-1",
    ownerId: "999999999999",
    vpcSize: "small",
    cidrBlock: "10.2.0.0/25",
    tenantRange: { cidrBlock: "10.2.0.0/21", isNew: true },
    subnets: [{ type: "private", cidrBlock: "10.2.0.0/28" }],
    resources: [{ resource: "natGateway", count: 3 }],
    quotas: [{ name: "EC2-VPC Elastic IPs", service: "ec2", code: "L-0263D0A3", needed: 3, per: "region" }],
    cost,
  };
  const file = (path: string) => {
    const name = join(path, "d.json");
    writeFileSync(name, '{"datasetName":"Clicks"}');
    return name;
  };

  test("asks for it and shows all of it", async () => {
    using there = folder();
    await using peer = await Peer.start(() => ok(plan));
    const words = ["datasets", "create", "--configFile", file(there.path), "--dryRun", ...at(peer)];
    const { exit, stdout, stderr } = await cli(words, { terminal: 200 });
    assert.deepEqual([exit, stderr], [0, ""]);
    assert.equal(peer.heard[0]?.path, "/v1/datasets?dryRun=true");
    for (const told of [
      /Clicks +us-east-1 +999999999999 +small +10\.2\.0\.0\/25/,
      /10\.2\.0\.0\/25 would come out of 10\.2\.0\.0\/21, a new range of the tenant's\./,
      /private +10\.2\.0\.0\/28/,
      /natGateway +3\n/,
      /EC2-VPC Elastic IPs +ec2 +L-0263D0A3 +3 +region/,
      /Costs at least 10\.95 USD/,
      /Nothing was written\.\n$/,
    ])
      assert.match(stdout, told);
  });

  test("cannot be waited for", async () => {
    using there = folder();
    await using peer = await Peer.start(() => ok(plan));
    const words = ["datasets", "create", "--configFile", file(there.path), "--dryRun", "--wait"];
    const { exit, stderr } = await cli([...words, ...at(peer)]);
    assert.deepEqual([exit, peer.heard.length], [2, 0]);
    assert.match(stderr, /nothing for --wait to wait for/);
  });
});

describe("sweep", () => {
  const sweep = {
    sweepId: "swp_1",
    state: "done",
    fix: false,
    orphans: 1,
    missing: 0,
    monthlyUsd: 32.85,
    atLeast: false,
    endedDatetime: "2026-11-23T10:00:00.000Z",
    statusReason: null,
    cells: [{ account: "999999999999", region: "eu-west-1", things: 0, error: "AWS denies it" }],
    findings: [
      {
        finding: "orphan",
        resource: "natGateway",
        key: "nat/0",
        id: "nat-1",
        region: "us-east-1",
        reason: "no dataset has the id ds_x",
        monthlyUsd: 32.85,
        outcome: "reported",
        message: "nothing was done",
      },
    ],
  };

  const SPELLINGS: readonly [readonly string[], string, unknown][] = [
    [["sweep"], "POST", {}],
    [["sweep", "--fix"], "POST", { fix: true }],
    [["sweep", "run", "--fix"], "POST", { fix: true }],
    [["sweep", "view"], "GET", null],
  ];
  for (const [words, method, body] of SPELLINGS)
    test(`letsdata ${words.join(" ")}`, async () => {
      await using peer = await Peer.start(() => ok(sweep));
      const { exit, stdout, stderr } = await cli([...words, ...at(peer)]);
      assert.deepEqual([exit, stderr], [0, ""]);
      const [heard] = peer.heard;
      assert.deepEqual([heard?.method, heard?.path, heard?.body], [method, "/v1/sweep", body]);
      assert.match(
        stdout,
        /orphan +natGateway +nat\/0 +nat-1 +us-east-1 +no dataset has the id ds_x +32\.85/,
      );
      assert.match(stdout, /999999999999 +eu-west-1 +AWS denies it/);
      assert.match(stdout, /What is left over costs 32\.85 USD a month\./);
    });

  test("may have its flags before its words, and waits by looking at the report", async () => {
    const running = { ...sweep, state: "running" };
    await using peer = await Peer.start((_, count) => ok(count < 3 ? running : sweep));
    const { exit } = await cli([...at(peer), "sweep", "--wait"]);
    assert.equal(exit, 0);
    assert.deepEqual(
      peer.heard.map(({ method }) => method),
      ["POST", "GET", "GET"],
    );
  });

  test("a failed one ends the wait with the reason", async () => {
    await using peer = await Peer.start(() => ok({ ...sweep, state: "failed", statusReason: "no cell" }));
    const { exit, stderr } = await cli(["sweep", "--wait", ...at(peer)]);
    assert.equal(exit, 5);
    assert.match(stderr, /is failed: no cell/);
  });

  test("its help shows both commands, and a word that leads nowhere is refused", async () => {
    const help = await cli(["sweep", "--help"]);
    assert.match(help.stdout, /letsdata sweep run/);
    assert.match(help.stdout, /letsdata sweep view/);
    assert.equal((await cli(["sweep", "bogus"])).exit, 2);
  });
});
