/**
 * Terraform against the sandbox: terraform/network.tf is applied, a second plan has no changes, everything is
 * destroyed. What it asks is replayed without Terraform in replays.test.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { leftOut } from "./programs.ts";
import { openSandbox } from "./sandbox.ts";
import { HOW_TO_TERRAFORM, openTerraform } from "./terraform.ts";

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
