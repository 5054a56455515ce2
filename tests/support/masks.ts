/**
 * Takes out of a text what differs from run to run: ids, keys, times, addresses, ports, folders. Promises that
 * the same thing gets the same name all through one text, counted by first appearance (`vpc-1`, `vpc-2`), so a
 * reader sees which id is used again; and that columns of a table stay under each other.
 */

export interface Known {
  /** Texts with a name of their own, such as the URL of the sandbox. */
  readonly [text: string]: string;
}

/** AWS ids: kinds such as `vpc-cidr-assoc`, then 17 hexadecimal characters; but not the one in our examples. */
const AWS_ID = /\b[a-z]+(?:-[a-z]+)*-(?!0123456789abcdef0)[0-9a-f]{17}\b/;
const OWN_ID = /\b(?:ten|key|ds|net|cell|aud|prb)_[a-z2-7]{16}\b/;
const REQUEST_ID = /\breq_[0-9a-f-]{36}\b/;
/** A key, or the 8 characters it is recognised by. */
const API_KEY = /\bld_(?:[\w-]{32}|[\w-]{5})(?![\w-])/;
const PUBLIC_ADDRESS = /\b198\.1[89]\.\d{1,3}\.\d{1,3}\b/;
/** A cluster's ARN, and what of its name and number is in the names of its brokers. */
const CLUSTER_ARN = /\barn:aws:kafka:[\w-]+:\d{12}:cluster\/ld-[\w-]+\/[0-9a-f-]{36}-\d+/;
const CLUSTER_DOMAIN = /\bld-[a-z0-9-]+\.[0-9a-f]{6}\.c\d+(?=\.kafka\.)/;
const CLUSTER_NAME = /\bld-[a-z0-9]{8}-ds-[a-z2-7]{16}\b/;
const MOMENT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)/;
/** What is left of AWS's 7 days. */
const SECONDS_LEFT = /\b60[0-4]\d{3}\b/;
/** How long a stage of a probe took, and all of them. */
const STAGE_MS = /(?<=^(?:resolve|connect|tls|apiVersions|metadata) .* {2})\d+(?:\.\d)?$/;
const MS = /(?<=\()\d+(?= ms\))/;
const INSTALLATION = /(?<="installation":\s?")[a-z0-9]{12}(?=")/;

/** Names are counted by the mask; one mask serves one transcript. */
export function masking(known: Known): (text: string) => string {
  const counted = counter();
  const rules: readonly (readonly [RegExp, (found: string) => string])[] = [
    ...Object.entries(known).map(([text, name]) => [literal(text), () => name] as const),
    [AWS_ID, (id) => counted(id.slice(0, -17), id)],
    [OWN_ID, (id) => counted(id.slice(0, -16), id)],
    [CLUSTER_ARN, (arn) => counted("cluster-arn-", arn)],
    [CLUSTER_DOMAIN, (domain) => counted("cluster-domain-", domain)],
    [CLUSTER_NAME, (name) => counted("cluster-name-", name)],
    [REQUEST_ID, (id) => counted("req_", id)],
    [API_KEY, (key) => `${counted("ld_", key.slice(0, 8))}${key.length === 8 ? "" : "…"}`],
    [PUBLIC_ADDRESS, (address) => `<${counted("public-ip-", address)}>`],
    [MOMENT, () => "<time>"],
    [SECONDS_LEFT, () => "<seconds>"],
    [STAGE_MS, () => "<ms>"],
    [MS, () => "<ms>"],
    [INSTALLATION, () => "<installation>"],
  ];
  const any = new RegExp(rules.map(([pattern]) => `(${pattern.source})`).join("|"), "g");
  return (text) =>
    text
      .split("\n")
      .map((line) => maskedLine(line, any, rules))
      .join("\n");
}

type Rules = readonly (readonly [RegExp, (found: string) => string])[];

/** What a name is shorter than the thing is given back at the next gap between columns. */
function maskedLine(line: string, any: RegExp, rules: Rules): string {
  let masked = "";
  let at = 0;
  let debt = 0;
  const take = (text: string) => {
    masked += text.replace(/(?<=\S|^) {2,}/g, (gap) => {
      const width = Math.max(2, gap.length + debt);
      debt = 0;
      return " ".repeat(width);
    });
  };
  for (const match of line.matchAll(any)) {
    const [found, ...groups] = match;
    const name = rules[groups.indexOf(found)]?.[1](found) ?? found;
    take(line.slice(at, match.index));
    masked += name;
    debt += found.length - name.length;
    at = match.index + found.length;
  }
  take(line.slice(at));
  return masked.trimEnd();
}

function counter(): (kind: string, thing: string) => string {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  return (kind, thing) => {
    const before = names.get(`${kind} ${thing}`);
    if (before !== undefined) return before;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    names.set(`${kind} ${thing}`, `${kind}${count}`);
    return `${kind}${count}`;
  };
}

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
}
