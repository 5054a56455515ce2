/**
 * Records what Terraform or Ansible ask of a cloud while they build a network, look again and take it away, and
 * writes it to `recorded/`. Ids become names; what only repeats or waits is left out.
 *
 *   node tests/interop/record.ts ansible
 *   node tests/interop/record.ts terraform [name] [more about its origin]
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../sources.ts";
import { ANSIBLE, playbook } from "./ansible.ts";
import { factsOf, ID } from "./facts.ts";
import { type Exchange, openRelay } from "./relay.ts";
import type { Recorded, Recording } from "./replay.ts";
import { openSandbox } from "./sandbox.ts";
import { openTerraform } from "./terraform.ts";

interface Phase {
  readonly name: string;
  readonly seen: readonly Exchange[];
}

type Run = (endpoint: string) => Promise<unknown>;

async function recorded(origin: string, runs: Readonly<Record<string, Run>>): Promise<Recording> {
  const sandbox = await openSandbox();
  const relay = await openRelay(sandbox.url);
  const phases: Phase[] = [];
  try {
    for (const [name, run] of Object.entries(runs)) {
      const from = relay.seen.length;
      await run(relay.url);
      phases.push({ name, seen: relay.seen.slice(from) });
    }
  } finally {
    await relay.close();
    await sandbox.close();
  }
  const names = new Map<string, string>();
  return {
    origin,
    phases: phases.map(({ name, seen }) => ({
      name,
      requests: essence(seen).map((one) => named(one, names)),
    })),
  };
}

const WAITING =
  /State="(?:pending|deleting)"|\bstate="(?:pending|deleting)"|code="(?:provisioning|initiating-request|deleting)"/;

/** Without reads that a later read of the same repeats, and without those that show something on its way. */
function essence(seen: readonly Exchange[]): Exchange[] {
  const keyOf = (one: Exchange) => JSON.stringify([one.account, one.action, one.parameters]);
  const last = new Map<string, string>();
  return seen.filter((one, index) => {
    if (!/^(Describe|Get)/.test(one.action)) return true;
    const facts = JSON.stringify(factsOf(one.answer));
    const later = seen.slice(index + 1).some((other) => keyOf(other) === keyOf(one));
    if (later && WAITING.test(factsOf(one.answer).lines.join("\n"))) return false;
    const repeats = last.get(keyOf(one)) === facts;
    last.set(keyOf(one), facts);
    return !repeats;
  });
}

/** The exchange with names for ids; an id has one name in all of the recording. */
function named(exchange: Exchange, names: Map<string, string>): Recorded {
  const { account, service, action, parameters, answer } = exchange;
  const { code, lines } = factsOf(answer);
  const asked = Object.entries(parameters).map(([name, value]) => [name, masked(value, names)]);
  return {
    account,
    ...(service === "ec2" ? {} : { service }),
    action,
    ...(asked.length > 0 && { parameters: Object.fromEntries(asked) }),
    ...(code && { code }),
    ...(lines.length > 0 && { shows: lines.map((line) => masked(line, names)) }),
  };
}

function masked(text: string, names: Map<string, string>): string {
  return text.replace(ID, (id) => {
    const kind = id.slice(0, id.lastIndexOf("-"));
    const count = [...names.values()].filter((name) => name.startsWith(`{${kind} `)).length;
    const name = names.get(id) ?? `{${kind} ${count + 1}}`;
    names.set(id, name);
    return name;
  });
}

async function byTerraform(more: string): Promise<Recording> {
  const terraform = await openTerraform();
  if (typeof terraform === "string") throw new Error(terraform);
  const run = (command: "apply" | "plan" | "destroy") => async (endpoint: string) => {
    const { code, stdout, stderr } = await terraform.run(command, endpoint);
    if (code !== 0) throw new Error(`terraform ${command} ended with ${code}:\n${stdout}\n${stderr}`);
  };
  try {
    const origin = `Recorded: ${terraform.versions} on terraform/network.tf against the sandbox.${more && ` ${more}`}`;
    return await recorded(origin, { apply: run("apply"), plan: run("plan"), destroy: run("destroy") });
  } finally {
    terraform.close();
  }
}

function byAnsible(): Promise<Recording> {
  const origin = `Recorded: ${ANSIBLE} on ansible/network.yml against the sandbox.`;
  return recorded(origin, {
    build: (endpoint) => playbook("present", endpoint),
    "build again": (endpoint) => playbook("present", endpoint),
    "take away": (endpoint) => playbook("absent", endpoint),
  });
}

const [, , client = "", name = client, more = ""] = process.argv;
const recording = await (client === "ansible" ? byAnsible() : byTerraform(more));
const file = join(ROOT, "tests/interop/recorded", `${name}.json`);
writeFileSync(file, `${JSON.stringify(recording, null, 2)}\n`);
const count = recording.phases.map((phase) => `${phase.name} ${phase.requests.length}`).join(", ");
console.error(`${file}: ${count}`);
