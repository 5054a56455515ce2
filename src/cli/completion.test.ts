import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { cli, folder } from "./testing.ts";

async function proposed(...words: string[]): Promise<string[]> {
  const { stdout } = await cli(["__complete", ...words]);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("\t")[0] ?? "");
}

describe("proposals", () => {
  test("routes", async () => {
    assert.ok((await proposed("")).includes("datasets"));
    assert.deepEqual(await proposed("data"), ["datasets"]);
    assert.deepEqual(await proposed("vpcs", "vpcP"), ["vpcPeeringConnections"]);
    assert.deepEqual(await proposed("vpcs", "vpc-p"), ["vpc-peering-connections"]);
    assert.deepEqual(await proposed("vpcs", "vpcPeeringConnections", "a"), ["accept"]);
    assert.deepEqual(await proposed("help", "vpcs", "l"), ["list"]);
  });

  test("flags in the spelling that was begun", async () => {
    assert.deepEqual(await proposed("datasets", "view", "--dataset"), ["--datasetName"]);
    assert.deepEqual(await proposed("datasets", "view", "--dataset-"), ["--dataset-name"]);
    assert.ok(!(await proposed("datasets", "view", "--datasetName", "x", "--")).includes("--datasetName"));
  });

  test("the choices of a flag", async () => {
    assert.deepEqual(await proposed("keys", "create", "--role", ""), ["viewer", "member", "admin"]);
    assert.deepEqual(await proposed("vpcs", "list", "--output", "j"), ["json"]);
  });

  test("nothing where nothing fits", async () => {
    assert.deepEqual(await proposed("nonsense", ""), []);
    assert.deepEqual(await proposed("datasets", "view", "--datasetName", ""), []);
  });
});

for (const shell of ["bash", "zsh", "fish"] as const)
  test(`the ${shell} script asks the program for words`, async () => {
    const ran = await cli(["completion", shell]);
    assert.equal(ran.exit, 0);
    assert.match(ran.stdout, /__complete/);
  });

test("bash runs its script", {
  skip: spawnSync("bash", ["-c", "true"]).status !== 0 && "no bash",
}, async () => {
  using dir = folder();
  const program = join(dir.path, "letsdata");
  writeFileSync(program, '#!/bin/sh\nprintf "%s\\tbrief\\n" "$@"\n');
  chmodSync(program, 0o755);
  const { stdout: script } = await cli(["completion", "bash"]);
  const ask = `COMP_WORDS=(${program} vpcs li); COMP_CWORD=2; _letsdata; echo "\${COMPREPLY[@]}"`;
  const ran = spawnSync("bash", ["-c", `${script}\n${ask}`], { encoding: "utf8" });
  assert.equal(ran.stdout.trim(), "__complete vpcs li");
});
