import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { cli, folder, ok, Peer, problem } from "./testing.ts";

const WAITING = {
  probeId: "prb_1",
  datasetName: "Clicks",
  target: "db:5432",
  protocol: "tcp",
  tls: false,
  state: "waiting",
  statusReason: "the function is being set up",
  verdict: null,
  summary: null,
  nextStep: null,
  stages: [],
  addresses: [],
  certificates: [],
  kafka: null,
};
const DONE = {
  ...WAITING,
  state: "done",
  statusReason: null,
  verdict: "reachable",
  summary: "db:5432 is reachable from the VPC and speaks TCP (3 ms)",
  stages: [
    { stage: "resolve", outcome: "ok", ms: 1.5, detail: "172.20.0.10" },
    { stage: "route", outcome: "ok", ms: null, detail: "172.20.0.0/16 by pcx-1" },
  ],
};
const REFUSED = { ...DONE, verdict: "refused", summary: "db:5432 refuses", nextStep: "See that it runs." };
const PROBE = ["vpcs", "probe", "--datasetName", "Clicks", "--target", "db:5432"];
const at = (peer: Peer) => ["--url", peer.url, "--apiKey", "k"];

describe("vpcs probe", () => {
  test("waits without being asked; a pipe gets the whole answer", async () => {
    await using peer = await Peer.start((_, count) => ok(count < 4 ? WAITING : DONE));
    const ran = await cli([...PROBE, ...at(peer)]);
    assert.deepEqual(ran, { exit: 0, stdout: `${JSON.stringify(DONE)}\n`, stderr: "" });
    assert.deepEqual(
      peer.heard.map(({ method, path }) => `${method} ${path}`),
      ["POST /v1/datasets/Clicks/probes", ...Array(3).fill("GET /v1/datasets/Clicks/probes/prb_1")],
    );
    assert.deepEqual(peer.heard[0]?.body, { target: "db:5432" });
  });

  test("a terminal sees what it waits for, then the stages and the verdict", async () => {
    await using peer = await Peer.start((_, count) => ok(count < 3 ? WAITING : DONE));
    const ran = await cli([...PROBE, ...at(peer)], { terminal: 120 });
    assert.ok(ran.stderr.includes("db:5432: waiting  0s  the function is being set up"), ran.stderr);
    assert.match(ran.stdout, /^route +ok +172\.20\.0\.0\/16 by pcx-1 +-/m);
    assert.match(ran.stdout, /^db:5432 is reachable from the VPC/m);
  });

  test("what is not reachable is exit code 5: the stages on standard output, the verdict as the error", async () => {
    await using peer = await Peer.start(() => ok(REFUSED));
    const ran = await cli([...PROBE, ...at(peer), "--output", "table"]);
    assert.deepEqual([ran.exit, ran.stderr], [5, "Error: db:5432 refuses\nHint: See that it runs.\n"]);
    assert.match(ran.stdout, /^resolve +ok +172\.20\.0\.10 +1\.5/m);
    const piped = await cli([...PROBE, ...at(peer), "--output", "json"]);
    assert.deepEqual([piped.exit, piped.stdout], [5, `${JSON.stringify(REFUSED)}\n`]);
    assert.match(piped.stderr, /"code":"conflict"/);
  });

  test("what could not be tried is exit code 5, with the reason and what to do", async () => {
    const failed = { ...WAITING, state: "failed", statusReason: "no such role", nextStep: "Make it." };
    await using peer = await Peer.start(() => ok(failed));
    const ran = await cli([...PROBE, ...at(peer)]);
    assert.deepEqual([ran.exit, ran.stderr], [5, "Error: db:5432 is failed: no such role\nHint: Make it.\n"]);
  });

  test("--timeout is exit code 7, and says how to look again", async () => {
    await using peer = await Peer.start(() => ok(WAITING));
    const ran = await cli([...PROBE, ...at(peer), "--timeout", "30s"]);
    assert.equal(ran.exit, 7);
    assert.match(ran.stderr, /db:5432 is still waiting after 30s; it waits for the function is being set up/);
    assert.match(ran.stderr, /letsdata vpcs probe view --datasetName Clicks --probeId prb_1/);
  });

  test("--caFile is read here, and its text sent", async () => {
    using own = folder();
    writeFileSync(join(own.path, "ca.pem"), "-----BEGIN");
    await using peer = await Peer.start(() => ok(DONE));
    await cli([...PROBE, ...at(peer), "--protocol", "tls", "--caFile", "ca.pem"], { cwd: own.path });
    assert.deepEqual(peer.heard[0]?.body, { target: "db:5432", protocol: "tls", ca: "-----BEGIN" });
    const missing = await cli([...PROBE, ...at(peer), "--caFile", "no.pem"], { cwd: own.path });
    assert.equal(missing.exit, 2);
    assert.match(missing.stderr, /Cannot read no\.pem: there is no such file/);
  });

  test("a refusal is told as it came", async () => {
    await using peer = await Peer.start(() => problem(409, "conflict", "No role is set", "Start with one."));
    const ran = await cli([...PROBE, ...at(peer)]);
    assert.deepEqual([ran.exit, ran.stdout], [5, ""]);
    assert.match(ran.stderr, /^Error: No role is set\nHint: Start with one\./);
  });

  test("it has no --wait: it always does", async () => {
    const ran = await cli([...PROBE, "--wait"]);
    assert.equal(ran.exit, 2);
    assert.match(ran.stderr, /--wait/);
  });
});

describe("vpcs probe view", () => {
  test("shows a verdict that is no success without being one itself", async () => {
    await using peer = await Peer.start(() =>
      ok({ ...REFUSED, kafka: { fetchVersions: "4-17", mechanisms: ["SCRAM-SHA-512"], brokers: [] } }),
    );
    const argv = ["vpcs", "probe", "view", "--datasetName", "Clicks", "--probeId", "prb_1"];
    const ran = await cli([...argv, ...at(peer), "--output", "table"]);
    assert.deepEqual([ran.exit, ran.stderr], [0, ""]);
    assert.match(ran.stdout, /^db:5432 refuses\nNext: See that it runs\.$/m);
    assert.match(ran.stdout, /^Kafka: reads by versions 4-17; clients authenticate by SCRAM-SHA-512$/m);
  });
});
