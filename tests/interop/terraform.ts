/**
 * Terraform on the network of terraform/network.tf, against an endpoint. The binary is `terraform`, or what
 * TERRAFORM names; its AWS provider comes from wherever that Terraform is set up to find it.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../sources.ts";
import { type Ran, run } from "./programs.ts";

export interface Terraform {
  /** Terraform's and the provider's. */
  readonly versions: string;
  /** `apply`, `plan` or `destroy`, without questions. */
  run(command: "apply" | "plan" | "destroy", endpoint: string): Promise<Ran>;
  close(): void;
}

export const HOW_TO_TERRAFORM =
  "needs terraform (https://developer.hashicorp.com/terraform/install) and its AWS provider 5.x: reach registry.terraform.io, or fill ~/.terraform.d/plugins, or TF_PLUGIN_CACHE_DIR";

/** A reason, when Terraform or its provider is not there. */
export async function openTerraform(): Promise<Terraform | string> {
  const program = process.env.TERRAFORM ?? "terraform";
  const version = await run(program, ["version"], { withinMs: 30_000 });
  if (version.code !== 0) return `there is no terraform: ${version.stderr.trim()}`;
  const folder = mkdtempSync(join(tmpdir(), "letsdata-terraform-"));
  const close = () => rmSync(folder, { recursive: true, force: true });
  const old = / v0\.11\./.test(version.stdout);
  furnish(folder, old);
  const terraform = (...args: readonly string[]) =>
    run(program, args, { cwd: folder, env: { CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" } });
  const initiated = await terraform("init", "-input=false", "-no-color");
  if (initiated.code !== 0) {
    close();
    return `terraform init found no AWS provider: ${lastWords(initiated)}`;
  }
  return {
    versions: await versions(() => terraform("version")),
    run: (command, endpoint) => {
      const how = { plan: ["-detailed-exitcode"], apply: ["-auto-approve"], destroy: ["-auto-approve"] };
      return terraform(command, "-input=false", "-no-color", "-var", `endpoint=${endpoint}`, ...how[command]);
    },
    close,
  };
}

/** Of 0.11 the provider stands beside the configuration, where TERRAFORM_PLUGINS says, and addresses differ. */
function furnish(folder: string, old: boolean): void {
  const text = readFileSync(join(ROOT, "tests/interop/terraform/network.tf"), "utf8");
  const read = old ? text.replace(/domain( +)= "vpc"/, "vpc   $1= true") : text;
  writeFileSync(join(folder, "network.tf"), read);
  const plugins = process.env.TERRAFORM_PLUGINS;
  if (plugins) cpSync(plugins, join(folder, "terraform.d/plugins/linux_amd64"), { recursive: true });
}

function lastWords({ stdout, stderr }: Ran): string {
  return `${stdout}\n${stderr}`
    .split("\n")
    .map((line) => line.replace(/^[\s│╷╵]+/, ""))
    .filter(Boolean)
    .slice(-6)
    .join(" ");
}

async function versions(ask: () => Promise<Ran>): Promise<string> {
  const { stdout } = await ask();
  return stdout
    .split("\n")
    .filter((line) => /^Terraform v|provider/.test(line))
    .join(", ");
}
