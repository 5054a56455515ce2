import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { cli, folder } from "./testing.ts";

async function read(text: string) {
  using dir = folder();
  writeFileSync(join(dir.path, "d.json"), text);
  const argv = [
    "datasets",
    "create",
    "--configFile",
    "d.json",
    "--url",
    "http://127.0.0.1:1",
    "--apiKey",
    "k",
  ];
  return await cli(argv, { cwd: dir.path });
}

describe("a configuration with a mistake is exit 2", () => {
  test("shows file, line, column and the line with a mark", async () => {
    const ran = await read('{\n  "datasetName": "Clicks"\n  "region": "us-east-1"\n}\n');
    assert.equal(ran.exit, 2);
    assert.equal(
      ran.stderr,
      'Error: d.json:3:3: a comma is expected\n  3 |   "region": "us-east-1"\n        ^\n' +
        "Hint: Mend the JSON there and run the command again.\n",
    );
  });

  test("the mark stays below the place on a long line", async () => {
    const ran = await read(`{"a": "${"x".repeat(300)}" "b": 1}`);
    const [, line = "", mark = ""] = ran.stderr.split("\n");
    assert.match(ran.stderr, /d\.json:1:310:/);
    assert.equal(line.slice(mark.indexOf("^"), mark.indexOf("^") + 3), '"b"');
  });

  for (const [text, said] of [
    ["", /d\.json:1:1: a value is expected/],
    ["[1]", /holds no JSON object/],
    ["{", /d\.json:1:2: a closing \} is expected/],
    ['{"a": nonsense}', /d\.json:1:7: this is no JSON value/],
  ] as const)
    test(JSON.stringify(text), async () => {
      const ran = await read(text);
      assert.equal(ran.exit, 2);
      assert.match(ran.stderr, said);
    });

  test("standard input is named as such", async () => {
    const argv = ["datasets", "create", "--configFile", "-", "--url", "http://127.0.0.1:1", "--apiKey", "k"];
    assert.match((await cli(argv, { stdin: '{"a" 1}' })).stderr, /standard input:1:6: a colon is expected/);
  });

  test("a file that is not there", async () => {
    const argv = [
      "datasets",
      "create",
      "--configFile",
      "no.json",
      "--url",
      "http://127.0.0.1:1",
      "--apiKey",
      "k",
    ];
    const ran = await cli(argv);
    assert.equal(ran.exit, 2);
    assert.match(ran.stderr, /^Error: Cannot read no\.json: there is no such file\n/);
  });
});
