import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { apiCommands } from "./catalog.ts";
import type { LocalCommand } from "./commands.ts";
import { cliDocs } from "./docs.ts";

const serve: LocalCommand = {
  path: ["serve"],
  brief: "Run it | all",
  description: "Runs everything.",
  examples: [{ what: "", command: "letsdata serve" }],
  options: [{ name: "port", kind: "number", brief: "Port", default: 1 }],
  run: async () => {},
};

test("every command has its section, with options, defaults and examples", () => {
  const docs = cliDocs([serve]);
  for (const { path } of apiCommands()) assert.ok(docs.includes(`\n### letsdata ${path.join(" ")}\n`));
  assert.ok(/## letsdata\n\n### letsdata serve\n\nRuns everything\.\n/.test(docs));
  assert.ok(/\| `--port VALUE` \| Port \| `1` \|/.test(docs));
  assert.ok(/```sh\nletsdata serve\n```/.test(docs));
  assert.ok(/\| Run it \\\| all \|/.test(docs));
  assert.ok(/\| `--configFile FILE` \| .* \| \*required\* \|/.test(docs));
});

test("docs/cli.md is what the program prints now", () => {
  const script = fileURLToPath(new URL("../../scripts/cli-docs.ts", import.meta.url));
  const checked = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  assert.equal(checked.status, 0, checked.stderr);
});
