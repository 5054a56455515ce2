import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { LocalCommand } from "./commands.ts";
import { cli, folder, ok, Peer } from "./testing.ts";

const VPC = {
  datasetName: "Clicks",
  vpcId: "vpc-1",
  ownerId: "999999999999",
  cidrBlock: "10.2.0.0/25",
  region: "us-east-1",
  vpcSize: "small",
  status: "ACTIVE",
  statusReason: null,
  subnets: [
    {
      subnetId: "subnet-1",
      type: "private",
      availabilityZone: "us-east-1a",
      availabilityZoneId: "use1-az1",
      cidrBlock: "10.2.0.0/28",
      availableIpAddressCount: 11,
    },
  ],
  natGateways: [],
};
const PAGE = { items: [VPC], nextCursor: null };

const at = (peer: Peer) => ["--url", peer.url, "--apiKey", "k"];

describe("reading", () => {
  test("a pipe gets the answer as one line of JSON", async () => {
    await using peer = await Peer.start(() => ok(PAGE));
    const ran = await cli(["vpcs", "list", ...at(peer)]);
    assert.deepEqual(ran, { exit: 0, stdout: `${JSON.stringify(PAGE)}\n`, stderr: "" });
    assert.equal(peer.heard[0]?.headers.authorization, "Bearer k");
  });

  test("a terminal gets a table without borders", async () => {
    await using peer = await Peer.start(() => ok(PAGE));
    const ran = await cli(["vpcs", "list", ...at(peer)], { terminal: 120 });
    const [head, row] = ran.stdout.split("\n");
    assert.match(head ?? "", /^datasetName +vpcId +ownerId +cidrBlock +region +vpcSize +status$/);
    assert.match(row ?? "", /^Clicks +vpc-1 +999999999999 +10\.2\.0\.0\/25 +us-east-1 +small +ACTIVE$/);
    assert.ok(!ran.stdout.includes("subnet-1") && !ran.stdout.includes("\u001b"));
  });

  test("--output and --prettyPrint decide before the terminal does", async () => {
    await using peer = await Peer.start(() => ok(PAGE));
    const json = await cli(["vpcs", "list", "--output", "json", ...at(peer)], { terminal: 120 });
    const table = await cli(["vpcs", "list", "--output=table", ...at(peer)]);
    const pretty = await cli(["vpcs", "list", "--pretty-print", ...at(peer)], { terminal: 120 });
    const both = await cli(["vpcs", "list", "--prettyPrint", "--output", "table", ...at(peer)]);
    assert.equal(json.stdout, `${JSON.stringify(PAGE)}\n`);
    assert.match(table.stdout, /^datasetName/);
    assert.equal(pretty.stdout, `${JSON.stringify(PAGE, null, 2)}\n`);
    assert.equal(both.exit, 2);
  });

  test("one dataset's VPC shows its subnets, and the guide as commands to copy", async () => {
    const peeringGuide = { request: "aws ec2 create-vpc-peering-connection", undo: ["aws a", "aws b"] };
    await using peer = await Peer.start(() => ok({ items: [{ ...VPC, peeringGuide }], nextCursor: null }));
    const argv = ["vpcs", "list", "--datasetName", "Clicks", "--peeringGuide", ...at(peer)];
    const ran = await cli(argv, { terminal: 120 });
    assert.match(ran.stdout, /^subnet-1 +private +us-east-1a +use1-az1 +10\.2\.0\.0\/28 +11$/m);
    assert.match(ran.stdout, /^# 1\. Request .*\naws ec2 create-vpc-peering-connection$/m);
    assert.match(ran.stdout, /^# 2\. Take all of it back\naws a\naws b$/m);
    assert.equal(peer.heard[0]?.path, "/v1/vpcs?datasetName=Clicks&peeringGuide=true");
  });

  test("datasets view shows its conditions as a second table", async () => {
    const condition = {
      resource: "nat/1",
      id: "nat-1",
      state: "waiting",
      message: "is pending",
      whoseMove: "aws",
      hint: "Wait a little",
    };
    const vpc = {
      resource: "vpc",
      id: "vpc-1",
      state: "ready",
      message: "is available",
      whoseMove: "letsdata",
    };
    await using peer = await Peer.start(() =>
      ok({ datasetName: "Clicks", status: "CREATING", conditions: [vpc, condition] }),
    );
    const ran = await cli(["datasets", "view", "--datasetName", "Clicks", ...at(peer)], { terminal: 120 });
    assert.match(ran.stdout, /^Clicks +CREATING/m);
    assert.match(ran.stdout, /^nat\/1 +nat-1 +waiting +aws +is pending$/m);
    assert.match(ran.stdout, /^vpc +vpc-1 +ready +- +is available$/m);
    assert.match(ran.stdout, /waiting[\s\S]*ready[\s\S]*\nnat\/1: Wait a little\n$/);
  });

  test("a peering connection shows what to do next, as a command to copy", async () => {
    const pending = { vpcPeeringConnectionId: "pcx-1", status: "PENDING", statusReason: "It waits" };
    const items = [
      { ...pending, nextStep: "letsdata accept" },
      { ...pending, nextStep: null },
    ];
    await using peer = await Peer.start(() => ok({ items, nextCursor: null }));
    const argv = ["vpcs", "vpcPeeringConnections", "list", "--datasetName", "Clicks", ...at(peer)];
    const ran = await cli(argv, { terminal: 120 });
    assert.match(ran.stdout, /\n\n# pcx-1: It waits\nletsdata accept\n$/);
  });

  test("of a request that expires it is shown when, and how long that is", async () => {
    const expiry = { expirationTime: "2026-12-01T10:04:31Z", expiresInSeconds: 604_799 };
    const items = [expiry, { expirationTime: null, expiresInSeconds: null }];
    await using peer = await Peer.start(() => ok({ items, nextCursor: null }));
    const argv = ["vpcs", "vpcPeeringConnections", "list", "--datasetName", "Clicks", ...at(peer)];
    const { stdout } = await cli(argv, { terminal: 500 });
    assert.match(stdout, /^(?:- +)+2026-12-01T10:04:31Z \(6d23h\) +-$/m);
    assert.match(stdout, /^(?:- +)+-$/m);
  });

  test("the address plan is indented by depth", async () => {
    const block = {
      kind: "pool",
      state: "used",
      datasetName: null,
      usedAddresses: 1,
      addresses: 2,
      freeDatetime: null,
    };
    const items = [
      { ...block, cidrBlock: "10.0.0.0/8", depth: 0 },
      { ...block, cidrBlock: "10.2.0.0/21", depth: 1 },
    ];
    await using peer = await Peer.start(() => ok({ items, nextCursor: null }));
    const ran = await cli(["ranges", "list", ...at(peer)], { terminal: 120 });
    assert.match(ran.stdout, /^10\.0\.0\.0\/8 /m);
    assert.match(ran.stdout, /^ {2}10\.2\.0\.0\/21 /m);
  });

  test("--all follows nextCursor; without it a note says that there is more", async () => {
    const pages = (path: string) =>
      path.includes("cursor=c2")
        ? { items: [{ datasetName: "B" }], nextCursor: null, notes: ["same"] }
        : { items: [{ datasetName: "A" }], nextCursor: "c2", notes: ["same"] };
    await using peer = await Peer.start(({ path }) => ok(pages(path)));
    const all = await cli(["datasets", "list", "--all", ...at(peer)]);
    assert.deepEqual(JSON.parse(all.stdout), {
      items: [{ datasetName: "A" }, { datasetName: "B" }],
      nextCursor: null,
      notes: ["same"],
    });
    assert.equal(peer.heard[0]?.path, "/v1/datasets?limit=1000");
    const one = await cli(["datasets", "list", ...at(peer)], { terminal: 120 });
    assert.match(one.stderr, /Note: same\nNote: There is more: add --all, or --cursor c2/);
  });
});

describe("spelling", () => {
  test("camelCase and kebab-case name the same routes and flags", async () => {
    await using peer = await Peer.start(() => ok({ items: [], nextCursor: null }));
    await cli(["vpcs", "vpcPeeringConnections", "list", "--datasetName", "Clicks", ...at(peer)]);
    await cli(["vpcs", "vpc-peering-connections", "list", "--dataset-name=Clicks", ...at(peer)]);
    const [camel, kebab] = peer.heard.map(({ path }) => path);
    assert.equal(camel, "/v1/datasets/Clicks/vpcPeeringConnections");
    assert.equal(kebab, camel);
  });

  test("flags of every command may stand before the command's words", async () => {
    await using peer = await Peer.start(() => ok(PAGE));
    const ran = await cli(["--url", peer.url, "--api-key=k", "vpcs", "--tenantName", "acme", "list"]);
    assert.equal(ran.exit, 0);
    assert.equal(peer.heard[0]?.path, "/v1/vpcs?tenantName=acme");
  });

  test("lists are split at commas, repeated, and emptied by an empty word", async () => {
    await using peer = await Peer.start(() => ok({ tenantName: "t" }));
    const update = ["tenants", "update", "--tenantName", "t"];
    await cli([
      ...update,
      "--avoidCidrs",
      "10.1.0.0/16,10.2.0.0/16",
      "--avoidCidrs",
      "10.3.0.0/16",
      ...at(peer),
    ]);
    await cli([...update, "--avoidCidrs=", ...at(peer)]);
    assert.deepEqual(
      peer.heard.map(({ body }) => body),
      [{ avoidCidrs: ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"] }, { avoidCidrs: [] }],
    );
    assert.equal(peer.heard[0]?.path, "/v1/tenants/t");
  });
});

describe("creating", () => {
  const body = {
    datasetName: "Clicks",
    region: "us-east-1",
    writeConnector: { connectorDestination: "Kafka", kafka: { clusterType: "none" } },
  };

  test("the body comes from the file or from standard input", async () => {
    using dir = folder();
    writeFileSync(join(dir.path, "d.json"), `// a comment\n${JSON.stringify(body)}`);
    await using peer = await Peer.start(() => ok({ ...body, status: "CREATING" }));
    await cli(["datasets", "create", "--configFile", "d.json", ...at(peer)], { cwd: dir.path });
    await cli(["datasets", "create", "--configFile", "-", ...at(peer)], { stdin: JSON.stringify(body) });
    assert.deepEqual(
      peer.heard.map((heard) => heard.body),
      [body, body],
    );
  });

  test("each create has its own idempotency key, or the one that was given", async () => {
    await using peer = await Peer.start(() => ok({ keyId: "key_1" }));
    for (const more of [[], [], ["--idempotencyKey", "mine"]])
      await cli(["keys", "create", "--name", "n", ...more, ...at(peer)]);
    const keys = peer.heard.map(({ headers }) => headers["idempotency-key"]);
    assert.match(String(keys[0]), /^[0-9a-f-]{36}$/);
    assert.notEqual(keys[0], keys[1]);
    assert.equal(keys[2], "mine");
  });

  test("a connection that breaks is tried again with the same key", async () => {
    await using peer = await Peer.start((_, count) => (count < 3 ? "cut" : ok({ keyId: "key_1" })));
    const ran = await cli(["keys", "create", "--name", "n", ...at(peer)]);
    assert.equal(ran.exit, 0);
    const keys = new Set(peer.heard.map(({ headers }) => headers["idempotency-key"]));
    assert.deepEqual([peer.heard.length, keys.size], [3, 1]);
  });

  test("when it stays broken, the key for another try is told", async () => {
    await using peer = await Peer.start(() => "cut");
    const ran = await cli(["keys", "create", "--name", "n", "--idempotencyKey", "k7", ...at(peer)]);
    assert.equal(ran.exit, 7);
    assert.match(ran.stderr, /add --idempotencyKey k7/);
  });

  test("a delete whose connection breaks is not sent twice", async () => {
    await using peer = await Peer.start(() => "cut");
    await cli(["datasets", "delete", "--datasetName", "Clicks", ...at(peer)]);
    assert.equal(peer.heard.length, 1);
  });
});

describe("help", () => {
  test("without arguments, with --help and with help it is the same", async () => {
    const [none, flag, word] = await Promise.all([cli([]), cli(["--help"]), cli(["help"])]);
    assert.deepEqual([none, word], [flag, flag]);
    assert.equal(flag.exit, 0);
    for (const noun of ["tenants", "keys", "datasets", "vpcs", "ranges", "settings", "audit", "profiles"])
      assert.match(flag.stdout, new RegExp(`^ {2}${noun} +[A-Z]`, "m"));
  });

  test("a group lists its commands with examples", async () => {
    const ran = await cli(["vpcs", "--help"]);
    assert.match(ran.stdout, /EXAMPLES\n {2}# Gather the VPC's details\n {2}letsdata vpcs list/);
    assert.match(ran.stdout, /COMMANDS\n {2}list +List VPCs\n {2}vpcPeeringConnections /);
    assert.equal((await cli(["help", "vpcs"])).stdout, ran.stdout);
  });

  test("a command shows usage, description, examples, flags, defaults and choices", async () => {
    const ran = await cli(["help", "keys", "create"]);
    assert.match(ran.stdout, /^USAGE\n {2}letsdata keys create --name NAME \[options\]\n/);
    assert.match(ran.stdout, /EXAMPLES\n {2}# A key for a pipeline/);
    assert.match(ran.stdout, / --name +What the key is for/);
    assert.match(ran.stdout, /\[--role\] .* \[viewer\|member\|admin\]\n/);
    assert.match(ran.stdout, /\[--idempotencyKey\]/);
    assert.match((await cli(["vpcs", "list", "-h"])).stdout, /\[--limit\] .*\(default: 100\)\n/);
  });

  test("--version is the package's", async () => {
    assert.match((await cli(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});

describe("local commands", () => {
  const serve: LocalCommand = {
    path: ["sandbox", "serve"],
    brief: "Run it",
    description: "Runs it.",
    examples: [],
    options: [
      { name: "port", kind: "number", brief: "Port", default: 4599 },
      { name: "set", kind: "list", brief: "Settings" },
      { name: "profile", kind: "string", brief: "Which", values: ["quick", "aws"], default: "quick" },
    ],
    run: async (options, { stdout }) => {
      stdout.write(JSON.stringify(options));
      return 4;
    },
  };
  const groups = [{ path: ["sandbox"], brief: "A cloud", description: "A small cloud.", commands: [serve] }];

  test("get their options with defaults, and decide the exit code", async () => {
    const ran = await cli(["sandbox", "serve", "--set", "a=1,b=2", "--profile", "aws"], { groups });
    assert.equal(ran.exit, 4);
    assert.deepEqual(JSON.parse(ran.stdout), { port: 4599, set: ["a=1", "b=2"], profile: "aws" });
  });

  test("stand in the help", async () => {
    assert.match((await cli([], { groups })).stdout, /^ {2}sandbox +A cloud$/m);
    assert.match((await cli([], { groups: [serve] })).stdout, /letsdata sandbox serve \.\.\./);
  });
});
