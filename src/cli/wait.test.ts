import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { elapsed, seconds } from "./durations.ts";
import { cli, FakeClock, ok, Peer, problem } from "./testing.ts";
import { pause } from "./wait.ts";

const CONDITION = {
  resource: "nat/0",
  id: "nat-1",
  state: "waiting",
  message: "is pending",
  whoseMove: "aws",
  hint: null,
  since: "2026-01-01T00:00:00.000Z",
  usualSeconds: 120,
};
const CREATING = { datasetName: "Clicks", status: "CREATING", statusReason: null, conditions: [CONDITION] };
const ACTIVE = { ...CREATING, status: "ACTIVE", conditions: [{ ...CONDITION, state: "ready" }] };
const CREATE = ["datasets", "create", "--configFile", "-", "--wait"];
const stdin = JSON.stringify({ datasetName: "Clicks" });
const at = (peer: Peer) => ["--url", peer.url, "--apiKey", "k"];

describe("--wait", () => {
  test("looks until it is done; a pipe gets the final result alone", async () => {
    await using peer = await Peer.start((_, count) => ok(count < 4 ? CREATING : ACTIVE));
    const ran = await cli([...CREATE, ...at(peer)], { stdin });
    assert.deepEqual(ran, { exit: 0, stdout: `${JSON.stringify(ACTIVE)}\n`, stderr: "" });
    assert.deepEqual(
      peer.heard.map(({ method, path }) => `${method} ${path}`),
      ["POST /v1/datasets", ...Array(3).fill("GET /v1/datasets/Clicks")],
    );
  });

  test("a terminal sees one line, rewritten, with what it waits on", async () => {
    await using peer = await Peer.start((_, count) => ok(count < 4 ? CREATING : ACTIVE));
    const ran = await cli([...CREATE, ...at(peer)], { stdin, terminal: 100 });
    const line = "\r\u001b[2KClicks: CREATING  0s  0/1 ready  nat/0: is pending (usually 2m)";
    assert.ok(ran.stderr.startsWith(line), ran.stderr);
    assert.doesNotMatch(ran.stderr, /\n/);
    assert.ok(ran.stderr.endsWith("\r\u001b[2K"));
    assert.match(ran.stdout, /^Clicks +ACTIVE/m);
  });

  test("a failure is a conflict with the reason and whose move it is", async () => {
    const failed = {
      ...CREATING,
      status: "ERROR",
      statusReason: "The quota of VPCs is used up",
      conditions: [{ ...CONDITION, state: "blocked", hint: "Raise the quota." }],
    };
    await using peer = await Peer.start((_, count) => ok(count < 2 ? CREATING : failed));
    const ran = await cli([...CREATE, ...at(peer)], { stdin });
    assert.equal(ran.exit, 5);
    assert.equal(ran.stdout, "");
    assert.equal(
      ran.stderr,
      "Error: Clicks is ERROR: The quota of VPCs is used up\nHint: Raise the quota.\n",
    );
  });

  test("the time limit is exit 7, says what is missing and how to look again", async () => {
    await using peer = await Peer.start(() => ok(CREATING));
    const clock = new FakeClock();
    const began = clock.now();
    const ran = await cli([...CREATE, "--timeout", "90s", "--tenantName", "acme", ...at(peer)], {
      stdin,
      clock,
    });
    assert.equal(ran.exit, 7);
    assert.equal(clock.now() - began, 90_000);
    const again = `letsdata datasets view --datasetName Clicks --tenantName acme --url ${peer.url}`;
    assert.equal(
      ran.stderr,
      `Error: Clicks is still CREATING after 1m30s; it waits for nat/0: is pending (usually 2m)\n` +
        `Hint: The work goes on. Look again: ${again}\n`,
    );
  });

  test("Ctrl-C says that the work goes on", async () => {
    await using peer = await Peer.start(() => ok(CREATING));
    const stop = new AbortController();
    const clock = new FakeClock((slept) => slept > 1000 && stop.abort());
    const ran = await cli([...CREATE, ...at(peer)], { stdin, clock, signal: stop.signal });
    assert.equal(ran.exit, 130);
    assert.match(ran.stderr, /^Stopped waiting; the work goes on\. Look again: letsdata datasets view /);
  });

  test("a server that is away for a moment does not end it", async () => {
    await using peer = await Peer.start((_, count) =>
      count === 2 ? problem(503, "unavailable", "Later") : ok(count < 4 ? CREATING : ACTIVE),
    );
    assert.equal((await cli([...CREATE, ...at(peer)], { stdin })).exit, 0);
  });

  test("a delete is done when the thing is gone", async () => {
    await using peer = await Peer.start((_, count) =>
      count < 3 ? ok({ ...CREATING, status: "DELETING" }) : problem(404, "notFound", "No such dataset"),
    );
    const ran = await cli(["datasets", "delete", "--datasetName", "Clicks", "--wait", ...at(peer)]);
    assert.equal(ran.exit, 0);
    assert.equal(JSON.parse(ran.stdout).status, "DELETED");
  });
});

describe("--wait of a delete", () => {
  const step = (state: string) => ({ resource: "nat/0", state });
  const DELETING = { ...CREATING, status: "DELETING" };

  test("counts what is gone, once there is a plan of it", async () => {
    const looks = [DELETING, { ...DELETING, deletePlan: [step("gone"), step("deleting"), step("waiting")] }];
    await using peer = await Peer.start((_, count) => {
      const seen = looks[count - 1];
      return seen ? ok(seen) : problem(404, "notFound", "No such dataset");
    });
    const argv = ["datasets", "delete", "--datasetName", "Clicks", "--wait", ...at(peer)];
    const { stderr } = await cli(argv, { terminal: 100 });
    const lines = stderr.split("\r\u001b[2K").filter(Boolean);
    assert.deepEqual(lines, [
      "Clicks: DELETING  0s  nat/0: is pending (usually 2m)",
      "Clicks: DELETING  0s  1/3 gone  nat/0: is pending (usually 2m)",
    ]);
  });
});

describe("--wait for what was asked for before", () => {
  const DELETE = ["datasets", "delete", "--datasetName", "Clicks", "--wait"];
  const again = problem(409, "conflict", "Dataset Clicks is already being deleted");
  const gone = problem(404, "notFound", "No such dataset");
  const deleting = ok({ ...CREATING, status: "DELETING" });

  test("takes up the waiting", async () => {
    await using peer = await Peer.start(({ method }, count) =>
      method === "DELETE" ? again : count < 4 ? deleting : gone,
    );
    const ran = await cli([...DELETE, ...at(peer)]);
    assert.deepEqual([ran.exit, JSON.parse(ran.stdout).status, ran.stderr], [0, "DELETED", ""]);
    assert.deepEqual(
      peer.heard.map(({ method }) => method),
      ["DELETE", "GET", "GET", "GET"],
    );
  });

  test("is done when it ended meanwhile", async () => {
    await using peer = await Peer.start(({ method }) => (method === "DELETE" ? again : gone));
    const ran = await cli([...DELETE, ...at(peer)]);
    assert.deepEqual([ran.exit, JSON.parse(ran.stdout).status], [0, "DELETED"]);
  });

  test("is another refusal when it is not under way", async () => {
    const other = problem(409, "conflict", "Something else is in the way");
    await using peer = await Peer.start(({ method }) => (method === "DELETE" ? other : ok(ACTIVE)));
    const ran = await cli([...DELETE, ...at(peer)]);
    assert.equal(ran.exit, 5);
    assert.match(ran.stderr, /^Error: Something else is in the way/);
  });

  test("without --wait it stays a conflict", async () => {
    await using peer = await Peer.start(({ method }) => (method === "DELETE" ? again : deleting));
    const ran = await cli(["datasets", "delete", "--datasetName", "Clicks", ...at(peer)]);
    assert.equal(ran.exit, 5);
    assert.deepEqual(
      peer.heard.map(({ method }) => method),
      ["DELETE"],
    );
  });

  test("a time limit says so", async () => {
    await using peer = await Peer.start(() => deleting);
    const ran = await cli([...DELETE, "--timeout", "5s", ...at(peer)], { clock: new FakeClock() });
    assert.equal(ran.exit, 7);
    assert.match(ran.stderr, /; or wait again with the same command\n$/);
  });
});

describe("--wait on an item of a list", () => {
  const id = "pcx-0123456789abcdef0";
  const accept = [
    "vpcs",
    "vpcPeeringConnections",
    "accept",
    "--datasetName",
    "Clicks",
    "--vpcPeeringConnectionId",
    id,
  ];
  const item = (status: string) => ({
    vpcPeeringConnectionId: id,
    status,
    statusReason: "because",
    nextStep: null,
  });
  const other = { vpcPeeringConnectionId: "pcx-ffffffff", status: "ACTIVE" };

  test("finds it on any page", async () => {
    await using peer = await Peer.start(({ method, path }) => {
      if (method === "POST") return ok(item("ACCEPTING"));
      if (path.includes("cursor=c2")) return ok({ items: [item("ACTIVE")], nextCursor: null });
      return ok({ items: [other], nextCursor: "c2" });
    });
    const ran = await cli([...accept, "--wait", ...at(peer)]);
    assert.equal(ran.exit, 0);
    assert.deepEqual(JSON.parse(ran.stdout), item("ACTIVE"));
  });

  test("a refusal is exit 5", async () => {
    await using peer = await Peer.start(({ method }) =>
      ok(method === "POST" ? item("ACCEPTING") : { items: [item("REFUSED")], nextCursor: null }),
    );
    const ran = await cli([...accept, "--wait", ...at(peer)]);
    assert.equal(ran.exit, 5);
    assert.match(ran.stderr, new RegExp(`^Error: ${id} is REFUSED: because\n`));
  });

  test("without --wait a terminal is told how to look again", async () => {
    await using peer = await Peer.start(() => ok(item("ACCEPTING")));
    const ran = await cli([...accept, ...at(peer)], { terminal: 100 });
    assert.match(ran.stderr, /Look again: letsdata vpcs vpcPeeringConnections list --datasetName Clicks/);
  });
});

test("looks are quick at first, then between 1 and 5 seconds apart", () => {
  assert.deepEqual([0, 2999, 3000, 40_000, 200_000].map(pause), [250, 250, 1000, 2000, 5000]);
});

test("lengths of time are read and written as people do", () => {
  assert.deepEqual(["90", "90s", "10m", "1h30m"].map(seconds), [90, 90, 600, 5400]);
  for (const text of ["", "soon", "10 m", "5d", "m5"])
    assert.throws(() => seconds(text), { code: "invalid" });
  assert.deepEqual([0, 59_000, 60_000, 200_000, 3_900_000, 86_399_000, 604_799_000].map(elapsed), [
    "0s",
    "59s",
    "1m",
    "3m20s",
    "1h05m",
    "23h59m",
    "6d23h",
  ]);
});
