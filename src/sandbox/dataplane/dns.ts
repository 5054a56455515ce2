/**
 * What the resolver of a VPC answers to a question, as a pure function of the rows. Promises AWS's view of names
 * from that VPC, and to tell a name that does not exist from one that has no record of the type asked for. It
 * asks nobody else: names that the sandbox did not give do not exist. A VPC without DNS support has no answer.
 *
 *   wire (dnsMessages.ts) ──question──▶ resolve ──▶ nameSources.ts ──▶ rows
 *
 * https://www.rfc-editor.org/rfc/rfc2308
 */
import { type Asker, NAME_SOURCES, type NameRecord, type NameSource } from "./nameSources.ts";
import type { Look } from "./reading.ts";

export interface Question {
  /** As it was asked, in whatever case. */
  readonly name: string;
  /** `A`, `AAAA`, `PTR`, …; `ANY` for all there are. */
  readonly type: string;
}

export interface Resolution {
  readonly exists: boolean;
  readonly records: readonly NameRecord[];
  /** The zone the name is in, if it is in one of the sandbox's. */
  readonly zone?: string;
}

/** undefined = no answer at all. */
export type Resolve = (question: Question) => Resolution | undefined;

/** The resolver of that VPC at that moment. */
export function resolverFor(look: Look, vpcId: string, sources = NAME_SOURCES): Resolve {
  const vpc = look.tables.vpcs.get(vpcId);
  if (!vpc?.dnsSupport) return () => undefined;
  return (question) => resolution({ ...look, vpc }, question, sources);
}

function resolution(asker: Asker, { name, type }: Question, sources: readonly NameSource[]): Resolution {
  const sought = name.toLowerCase().replace(/\.$/, "");
  const zones = sources.flatMap((source) => source.zones);
  const concerned = sources.filter((source) => source.zones.some((zone) => isUnder(sought, zone)));
  const records = concerned.flatMap((source) => source.records(asker));
  const named = unique(records.filter((record) => record.name === sought));
  // A name exists too when there is one below it: https://www.rfc-editor.org/rfc/rfc8020
  const exists =
    named.length > 0 || [...zones, ...records.map((one) => one.name)].some((one) => isUnder(one, sought));
  const zone = zones.filter((one) => isUnder(sought, one)).sort((a, b) => b.length - a.length)[0];
  const asked = named.filter((record) => type === "ANY" || record.type === type);
  return { exists, records: asked, ...(zone ? { zone } : {}) };
}

/** Two peers of one VPC may have the same addresses. */
function unique(records: readonly NameRecord[]): NameRecord[] {
  return [...new Map(records.map((record) => [`${record.type} ${record.data}`, record])).values()];
}

/** Everything is under the root, whose name is empty. */
function isUnder(name: string, domain: string): boolean {
  return domain === "" || name === domain || name.endsWith(`.${domain}`);
}
