import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cli, ok, Peer, problem } from "./testing.ts";

const at = (peer: Peer) => ["--url", peer.url, "--apiKey", "k"];

describe("errors", () => {
  const table: [number, string, number][] = [
    [400, "invalid", 2],
    [401, "unauthenticated", 3],
    [403, "forbidden", 3],
    [404, "notFound", 4],
    [409, "conflict", 5],
    [507, "exhausted", 6],
    [503, "unavailable", 7],
    [500, "internal", 1],
  ];
  for (const [status, code, exit] of table)
    test(`${code} exits with ${exit}`, async () => {
      await using peer = await Peer.start(() => problem(status, code, "No."));
      const ran = await cli(["vpcs", "list", ...at(peer)]);
      assert.equal(ran.exit, exit);
      assert.equal(ran.stdout, "");
    });

  test("message, hint and request id stand on standard error", async () => {
    await using peer = await Peer.start(() => problem(409, "conflict", "It is DELETING", "Wait for it."));
    const ran = await cli(["vpcs", "list", ...at(peer)]);
    assert.equal(ran.stderr, "Error: It is DELETING\nHint: Wait for it.\nRequest id: req-1\n");
  });

  test("--output json makes the error one JSON object", async () => {
    await using peer = await Peer.start(() => problem(404, "notFound", "No such dataset"));
    const ran = await cli(["vpcs", "list", "--output", "json", ...at(peer)]);
    assert.deepEqual(JSON.parse(ran.stderr), {
      title: "Not found",
      status: 404,
      code: "notFound",
      message: "No such dataset",
      hint: null,
      requestId: "req-1",
    });
  });

  test("a stack shows with --debug only", async () => {
    await using peer = await Peer.start(() => problem(404, "notFound", "No such dataset"));
    assert.doesNotMatch((await cli(["vpcs", "list", ...at(peer)])).stderr, /\n {4}at /);
    assert.match((await cli(["vpcs", "list", "--debug", ...at(peer)])).stderr, /\n {4}at /);
  });

  test("a server that is not there is exit 7", async () => {
    const gone = await Peer.start(() => ok({}));
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    const ran = await cli(["vpcs", "list", "--url", url, "--apiKey", "k"]);
    assert.equal(ran.exit, 7);
    assert.match(ran.stderr, /^Error: Cannot reach the API at .*nothing listens there\nHint: /);
  });

  test("Ctrl-C is exit 130", async () => {
    const stop = new AbortController();
    await using peer = await Peer.start(() => {
      stop.abort();
      return ok({ items: [], nextCursor: null });
    });
    const ran = await cli(["vpcs", "list", ...at(peer)], { signal: stop.signal });
    assert.deepEqual(ran, { exit: 130, stdout: "", stderr: "Interrupted.\n" });
  });
});

describe("usage mistakes are exit 2 and say what was meant", () => {
  const cases: [string[], RegExp][] = [
    [
      ["vpc", "list"],
      /^Error: There is no command `vpc`; did you mean `vpcs`\?\nHint: See `letsdata --help`\.\n$/,
    ],
    [["vpcs", "vpcPeeringConection", "list"], /did you mean `vpcPeeringConnections`\?/],
    [
      ["vpcs", "list", "--datasetNam", "x"],
      /There is no flag --datasetNam; did you mean --datasetName\?\nHint: See `letsdata vpcs list --help`/,
    ],
    [["constructor"], /There is no command `constructor`/],
    [["vpcs", "list", "--constructor"], /There is no flag --constructor/],
    [["datasets", "view"], /--datasetName is missing/],
    [["datasets", "view", "--datasetName"], /--datasetName is missing/],
    [["datasets", "view", "Clicks"], /--datasetName is missing|"Clicks" belongs to no flag/],
    [["vpcs", "list", "--limit", "many"], /--limit is "many": a number is expected/],
    [["vpcs", "list", "--output", "xml"], /--output is "xml", but takes table, json/],
    [["vpcs", "list", "--url", "a", "--url", "b"], /--url is given twice/],
    [["--nonsense", "vpcs", "list"], /Unknown flag --nonsense before the command/],
    [["--url"], /--url needs a value/],
    [["datasets", "delete", "--datasetName", "x", "--timeout", "9s"], /Add --wait/],
    [
      ["datasets", "delete", "--datasetName", "x", "--wait", "--timeout", "soon"],
      /"soon" is not a length of time/,
    ],
  ];
  for (const [argv, said] of cases)
    test(argv.join(" "), async () => {
      const ran = await cli(argv);
      assert.equal(ran.exit, 2);
      assert.equal(ran.stdout, "");
      assert.match(ran.stderr, said);
    });
});
