/**
 * Recorded request sequences of other people's clients, sent again to a sandbox. A recording names things
 * (`{vpc 1}`); ids are learned from the answers as they come. Promises that every request is sent as it was, to
 * the letter, that the sandbox says at least what was recorded, and that waiting is done by moving the clock.
 */
import assert from "node:assert/strict";
import type { DrivenClock } from "../../src/sandbox/testing.ts";
import { factsOf } from "./facts.ts";
import { ask } from "./signed.ts";

export interface Recording {
  /** Where it comes from, honestly. */
  readonly origin: string;
  readonly phases: readonly { readonly name: string; readonly requests: readonly Recorded[] }[];
}

export interface Recorded {
  readonly account: string;
  /** `ec2` unless given. */
  readonly service?: string;
  readonly action: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** The error's code that was answered. */
  readonly code?: string;
  /** Lines as of facts.ts; each is in the answer, perhaps with more values. */
  readonly shows?: readonly string[];
}

export interface Replayed {
  readonly endpoint: string;
  readonly clock: DrivenClock;
}

const STEP_MS = 250;
/** A NAT gateway takes two seconds of the sandbox's time, everything else less. */
const MOST_TRIES = 40;

export class Replay {
  readonly #to: Replayed;
  readonly #ids = new Map<string, string>();

  constructor(to: Replayed) {
    this.#to = to;
  }

  /** Sends the request until what was recorded is answered; a change is sent once. */
  async send(recorded: Recorded): Promise<void> {
    const tries = /^(Describe|Get)/.test(recorded.action) ? MOST_TRIES : 1;
    for (let left = tries; ; left--) {
      const problem = await this.#sendOnce(recorded);
      if (problem === null) return;
      if (left <= 1) assert.fail(`${recorded.action} ${JSON.stringify(this.#filled(recorded))}\n${problem}`);
      this.#to.clock.advance(STEP_MS);
    }
  }

  #filled({ parameters = {} }: Recorded): Record<string, string> {
    const entries = Object.entries(parameters).map(([name, value]) => [
      name,
      value.replace(NAME, (whole) => this.#ids.get(whole) ?? assert.fail(`${whole} has no id yet`)),
    ]);
    return Object.fromEntries(entries);
  }

  /** What is wrong with the answer, or null. */
  async #sendOnce(recorded: Recorded): Promise<string | null> {
    const { account, action, service = "ec2", code = null, shows = [] } = recorded;
    const { endpoint } = this.#to;
    const answer = await ask({ endpoint, account, action, service, parameters: this.#filled(recorded) });
    const facts = factsOf(answer.text);
    if (facts.code !== code) return `the answer is ${facts.code ?? "no error"}: ${answer.text}`;
    const learned = new Map(this.#ids);
    const left = [...facts.lines];
    for (const line of shows) {
      const at = left.findIndex((said) => isSaid(line, said, learned));
      if (at < 0) return `not answered: ${line}\nwhat is left of the answer:\n${left.join("\n")}`;
      left.splice(at, 1);
    }
    for (const [name, id] of learned) this.#ids.set(name, id);
    return null;
  }
}

/** `{vpc 1}`, `{vpc-cidr-assoc 2}`. */
const NAME = /\{[a-z]+(?:-[a-z]+)* \d+\}/g;

/** True when `said` has the place and all values of the recorded line; learns the ids of its new names then. */
function isSaid(line: string, said: string, ids: Map<string, string>): boolean {
  const [place, values] = parts(line);
  const [saidPlace, saidValues] = parts(said);
  const learned = new Map(ids);
  if (!unify(place, saidPlace, learned)) return false;
  for (const value of values) if (!saidValues.some((other) => unify(value, other, learned))) return false;
  for (const [name, id] of learned) ids.set(name, id);
  return true;
}

/** The place, and the values as `name="…"`. */
function parts(line: string): [string, string[]] {
  const [place = "", rest = ""] = line.split(/:(?: |$)(.*)/s);
  return [place, rest.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? []];
}

/** Whether the text is the pattern with ids in place of names; two names never have one id. */
function unify(pattern: string, text: string, ids: Map<string, string>): boolean {
  const names = pattern.match(NAME) ?? [];
  const source = pattern
    .split(NAME)
    .map((literal) => literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("([a-z]+(?:-[a-z]+)*-0[0-9a-f]{16})");
  const found = new RegExp(`^${source}$`, "s").exec(text);
  if (!found) return false;
  const taken = new Set(ids.values());
  return names.every((name, index) => {
    const id = found[index + 1] ?? "";
    const known = ids.get(name);
    if (known !== undefined) return known === id;
    const isOfKind = id.startsWith(`${name.slice(1, name.indexOf(" "))}-0`);
    if (!isOfKind || taken.has(id)) return false;
    ids.set(name, id);
    taken.add(id);
    return true;
  });
}
