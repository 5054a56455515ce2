/**
 * Terraform against the sandbox: terraform/network.tf is applied, a second plan has no changes, everything is
 * destroyed. What it asks is replayed without Terraform in replays.test.ts.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { leftOut } from "./programs.ts";
import { openSandbox } from "./sandbox.ts";
import { HOW_TO_TERRAFORM, openTerraform, terraformVersion } from "./terraform.ts";

const terraform = await openTerraform();
const skip =
  typeof terraform === "string"
    ? leftOut("terraform against the sandbox", `${HOW_TO_TERRAFORM}\n!!! ${terraform}`)
    : false;

test("terraform: apply, plan without changes, destroy", { skip }, async (t) => {
  if (typeof terraform === "string") return;
  const sandbox = await openSandbox();
  try {
    t.diagnostic(terraform.versions);
    for (const command of ["apply", "plan", "destroy"] as const) {
      const { code, stdout, stderr } = await terraform.run(command, sandbox.url);
      // `plan -detailed-exitcode` ends with 2 when there is something to change.
      assert.equal(code, 0, `terraform ${command} ended with ${code}:\n${stdout}\n${stderr}`);
    }
    assert.deepEqual(sandbox.complaints, []);
  } finally {
    terraform.close();
    await sandbox.close();
  }
});

const version = await terraformVersion();
const isNew = version !== null && !/ v0\./.test(version);

test("terraform: a folder that TERRAFORM_PLUGINS names is where the provider is taken from", {
  skip: isNew ? false : leftOut("TERRAFORM_PLUGINS", HOW_TO_TERRAFORM),
}, async () => {
  const mirror = mkdtempSync(join(tmpdir(), "letsdata-mirror-"));
  try {
    const missing = await openTerraform(mirror);
    assert.match(String(missing), /found no AWS provider/);
    const [, target = ""] = /^on (\w+)$/m.exec(version ?? "") ?? [];
    const folder = join(mirror, "registry.terraform.io/hashicorp/aws/5.100.0", target);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "terraform-provider-aws_v5.100.0_x5"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const found = await openTerraform(mirror);
    if (typeof found === "string") assert.fail(found);
    assert.match(found.versions, /hashicorp\/aws v5\.100\.0/);
    found.close();
  } finally {
    rmSync(mirror, { recursive: true, force: true });
  }
});
