/**
 * Faults in place, and chance. Promises that a fault hits the requests it describes, as often as it was asked
 * for, in the order the requests come; of several that fit, the oldest strikes. Kept in memory only.
 */
import type { Dice } from "./dice.ts";
import { AwsError, type ServiceErrors } from "./errors.ts";
import { type FaultKind, type FaultSpec, QUOTA_ERRORS } from "./faultSpecs.ts";
import { NOUNS, notFound, type Prefix } from "./find.ts";

/** A request as faults see it. */
export interface Struck {
  readonly service: string;
  readonly operation: string;
  readonly account: string;
  readonly region: string;
  readonly input: object;
}

/** What happens to a request. */
export type Blow =
  /** Not done. `cut` = not answered either. */
  | { readonly kind: FaultKind; readonly error: AwsError; readonly cut: boolean }
  /** Done; then answered late, or never. */
  | { readonly kind: FaultKind; readonly error?: undefined; readonly cut: boolean; readonly delayMs: number };

interface Placed {
  readonly id: string;
  readonly spec: FaultSpec;
  readonly skipped: number;
  readonly struck: number;
}

/** A fault as it is shown: `left` = how many requests it will still hit. */
export type ShownFault = FaultSpec & { readonly id: string; readonly left: number };

export class Faults {
  #placed: readonly Placed[] = [];
  #made = 0;

  add(spec: FaultSpec): string {
    const id = `fault-${++this.#made}`;
    this.#placed = [...this.#placed, { id, spec, skipped: 0, struck: 0 }];
    return id;
  }

  list(): ShownFault[] {
    return this.#placed.map(({ id, spec, struck }) => ({ id, ...spec, left: spec.count - struck }));
  }

  /** False when there is no such fault. */
  remove(id: string): boolean {
    const left = this.#placed.filter((one) => one.id !== id);
    const found = left.length < this.#placed.length;
    this.#placed = left;
    return found;
  }

  clear(): void {
    this.#placed = [];
  }

  /** What a fault does to the request; undefined when none fits. `errors` are its service's own. */
  strike(request: Struck, errors: ServiceErrors): Blow | undefined {
    for (const placed of this.#placed) {
      const { spec, skipped } = placed;
      const blow = fits(spec, request) ? blowOf(spec, request, errors) : undefined;
      if (!blow) continue;
      const waits = skipped < (spec.skip ?? 0);
      this.#replace(waits ? { ...placed, skipped: skipped + 1 } : { ...placed, struck: placed.struck + 1 });
      if (!waits) return blow;
    }
    return undefined;
  }

  #replace(changed: Placed): void {
    const all = this.#placed.map((one) => (one.id === changed.id ? changed : one));
    this.#placed = all.filter(({ spec, struck }) => struck < spec.count);
  }
}

function fits(spec: FaultSpec, request: Struck): boolean {
  if (spec.operation !== "*" && spec.operation !== request.operation) return false;
  for (const place of ["service", "account", "region"] as const)
    if (spec[place] !== undefined && spec[place] !== request[place]) return false;
  return Object.entries(spec.match ?? {}).every(([path, wanted]) =>
    valuesAt(request.input, path).some((value) => String(value) === wanted),
  );
}

const TAG = "tag:";

/** The values at a path of member names, all those of a list; of a tag, by its key, among the request's own. */
function valuesAt(input: object, path: string): unknown[] {
  if (path.startsWith(TAG)) {
    const key = path.slice(TAG.length);
    const tags = [...membersAt([input], ["TagSpecifications", "Tags"]), ...membersAt([input], ["Tags"])];
    return tags.flatMap((tag) => (member(tag, "Key") === key ? [member(tag, "Value")] : []));
  }
  return membersAt([input], path.split("."));
}

function membersAt(from: readonly unknown[], path: readonly string[]): unknown[] {
  const [first, ...rest] = path;
  if (first === undefined) return [...from];
  const next = from.flatMap((one) => member(one, first)).filter((one) => one !== undefined);
  return membersAt(next, rest);
}

function member(value: unknown, name: string): unknown {
  if (value === null || typeof value !== "object") return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

/** Undefined where the kind does not concern the operation: it has no quota, or names no id. */
function blowOf(spec: FaultSpec, request: Struck, errors: ServiceErrors): Blow | undefined {
  const { kind } = spec;
  if (kind === "delay") return { kind, cut: false, delayMs: spec.delayMs ?? 0 };
  if (kind === "dropAfter") return { kind, cut: true, delayMs: 0 };
  const error = kind === "dropBefore" ? notDone() : errorOf(spec, request, errors);
  return error && { kind, error, cut: kind === "dropBefore" };
}

/** Nobody reads it: the connection is cut. */
function notDone(): AwsError {
  return new AwsError("ConnectionCut", "The connection is cut.", 500);
}

function errorOf(spec: FaultSpec, request: Struck, errors: ServiceErrors): AwsError | undefined {
  const own = ownError(spec, request, errors);
  const code = spec.code ?? own?.code;
  if (code === undefined) return undefined;
  const status = spec.status ?? (own?.code === code ? own.status : statusOf(code));
  return new AwsError(code, own?.message ?? `A fault asked for: ${code}`, status);
}

/** The kind's error when the request for the fault names no code. */
function ownError({ kind }: FaultSpec, request: Struck, errors: ServiceErrors): AwsError | undefined {
  if (kind === "throttle") return errors.throttled();
  if (kind === "error") return errors.failed();
  if (kind === "notFound") return (errors.missing ?? missing)(request.input);
  const code = QUOTA_ERRORS[request.operation];
  return code ? new AwsError(code, "The maximum number of resources has been reached.") : undefined;
}

/** Codes that are AWS's fault have AWS's status: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html */
function statusOf(code: string): number {
  if (
    /^(InternalError|InternalFailure|InternalServerError(Exception)?|ServerInternal|ServiceException)$/.test(
      code,
    )
  )
    return 500;
  return /^(RequestLimitExceeded|ServiceUnavailable(Exception)?|Unavailable)$/.test(code) ? 503 : 400;
}

/** The NotFound of the first id the request names. */
function missing(input: object): AwsError | undefined {
  for (const id of Object.values(input).flat()) {
    const [, prefix = ""] = /^([a-z]+)-[0-9a-f]{8,17}$/.exec(String(id)) ?? [];
    if (Object.hasOwn(NOUNS, prefix)) return notFound(prefix as Prefix, [String(id)]);
  }
  return undefined;
}

const CHANCES = ["throttle", "error", "dropBefore", "dropAfter"] as const;

/** What chance does to a request: one of four, with the same odds, to `percent` of all. */
export function chance(dice: Dice, percent: number, errors: ServiceErrors): Blow | undefined {
  if (percent <= 0 || dice.next() * 100 >= percent) return undefined;
  const kind = dice.oneOf(CHANCES) ?? "error";
  if (kind === "dropAfter") return { kind, cut: true, delayMs: 0 };
  if (kind === "dropBefore") return { kind, error: notDone(), cut: true };
  const error = kind === "throttle" ? errors.throttled() : errors.failed();
  return { kind, error, cut: false };
}
