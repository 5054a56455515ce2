/**
 * Terraform on the network of terraform/network.tf, against an endpoint. The binary is `terraform`, or what
 * TERRAFORM names; its AWS provider comes from the folder that TERRAFORM_PLUGINS names, else from wherever that
 * Terraform is set up to find it.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ROOT } from "../sources.ts";
import { type Ran, run } from "./programs.ts";

export interface Terraform {
  /** Terraform's and the provider's. */
  readonly versions: string;
  /** `apply`, `plan` or `destroy`, without questions. */
  run(command: "apply" | "plan" | "destroy", endpoint: string): Promise<Ran>;
  close(): void;
}

/** A cache (TF_PLUGIN_CACHE_DIR) is of no use here: which versions there are is asked of the registry all the same. */
export const HOW_TO_TERRAFORM = `needs terraform 1.x (https://developer.hashicorp.com/terraform/install) and its AWS provider 5.x.
!!! Where registry.terraform.io can be reached, nothing else. Elsewhere a mirror, made on a machine that reaches it:
!!!   terraform -chdir=tests/interop/terraform providers mirror -platform=linux_amd64 FOLDER
!!! then, with FOLDER copied to this machine, one of:
!!!   TERRAFORM_PLUGINS=FOLDER npm run test:interop
!!!   FOLDER copied to ~/.terraform.d/plugins
!!!   provider_installation { filesystem_mirror { path = "FOLDER" } } in the file that TF_CLI_CONFIG_FILE names`;

const PROGRAM = process.env.TERRAFORM ?? "terraform";

/** What `terraform version` says, or null when there is none. */
export async function terraformVersion(): Promise<string | null> {
  const { code, stdout } = await run(PROGRAM, ["version"], { withinMs: 30_000 });
  return code === 0 ? stdout : null;
}

/** A reason, when Terraform or its provider is not there. */
export async function openTerraform(plugins = process.env.TERRAFORM_PLUGINS): Promise<Terraform | string> {
  const version = await terraformVersion();
  if (version === null) return `there is no ${PROGRAM}`;
  const folder = mkdtempSync(join(tmpdir(), "letsdata-terraform-"));
  const close = () => rmSync(folder, { recursive: true, force: true });
  const whence = furnish(folder, { isOld: / v0\.11\./.test(version), plugins });
  const terraform = (...args: readonly string[]) =>
    run(PROGRAM, args, { cwd: folder, env: { CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" } });
  const initiated = await terraform("init", "-input=false", "-no-color", ...whence);
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

interface Furniture {
  readonly isOld: boolean;
  readonly plugins: string | undefined;
}

/**
 * The configuration, and what `init` is told of the provider. For 0.11 it stands beside the configuration, and
 * addresses differ.
 */
function furnish(folder: string, { isOld, plugins }: Furniture): string[] {
  const text = (file: string) => readFileSync(join(ROOT, "tests/interop/terraform", file), "utf8");
  const network = text("network.tf");
  const read = isOld ? network.replace(/domain( +)= "vpc"/, "vpc   $1= true") : network;
  writeFileSync(join(folder, "network.tf"), read);
  if (!isOld) writeFileSync(join(folder, "versions.tf"), text("versions.tf"));
  if (!plugins) return [];
  if (!isOld) return [`-plugin-dir=${resolve(plugins)}`];
  cpSync(plugins, join(folder, "terraform.d/plugins/linux_amd64"), { recursive: true });
  return [];
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
