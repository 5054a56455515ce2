/**
 * The sandbox's own requests from its commands' side. Promises that whatever cannot be had is a CommandError that
 * says what is wrong and what would help.
 */

import type { ShownHost } from "../dataplane/hostList.ts";
import { CommandError } from "../errors.ts";

/** A host as the sandbox answers it, with what runs a command inside. */
export interface EnteredHost extends ShownHost {
  /** The private address that was meant, or the host's first. */
  readonly address?: string;
  /** Command and arguments that run what follows them inside of the host. */
  readonly argv: readonly string[];
  /** The namespace that the process ids in `argv` belong to. */
  readonly pidNamespace: string;
}

interface Refused {
  readonly message?: string;
}

/** One request; `path` is what follows `/_sandbox/`. */
export async function ask<T>(url: string, path: string, body?: object): Promise<T> {
  const init = body ? { method: "POST", body: JSON.stringify(body) } : {};
  const response = await fetch(`${url}/_sandbox/${path}`, init).catch((thrown: unknown) => {
    throw new CommandError("unavailable", `the sandbox at ${url} does not answer: ${reason(thrown)}`, START);
  });
  const answer = (await response.json().catch(() => null)) as (T & Refused) | null;
  if (answer === null) throw new CommandError("invalid", `${url} is no sandbox`, "Give --sandboxUrl.");
  if (response.ok) return answer;
  throw refused(response.status, answer.message ?? `it answered ${response.status}`);
}

const START = "Start it with `letsdata serve` or `letsdata sandbox serve`, or give --sandboxUrl.";

function reason(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const { code, message } = (cause ?? thrown) as { code?: string; message?: string };
  return code ?? message ?? String(thrown);
}

function refused(status: number, message: string): CommandError {
  if (status === 404)
    return new CommandError(
      "notFound",
      message,
      "See `letsdata sandbox hosts`: instances run, gateways are available.",
    );
  if (status === 409) return new CommandError("conflict", message);
  if (status === 503)
    return new CommandError(
      "unavailable",
      `this sandbox carries no packets: ${message}`,
      "`letsdata sandbox doctor` says what this machine lacks.",
    );
  return new CommandError("invalid", message);
}

export async function hostsOf(url: string): Promise<readonly ShownHost[]> {
  return (await ask<{ readonly hosts: readonly ShownHost[] }>(url, "hosts")).hosts;
}

export function hostNamed(url: string, name: string): Promise<EnteredHost> {
  return ask<EnteredHost>(url, `hosts/${encodeURIComponent(name)}`);
}
