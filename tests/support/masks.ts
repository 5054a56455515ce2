/**
 * Takes out of a text what differs from run to run: ids, keys, times, addresses, ports, folders. Promises that
 * the same thing gets the same name all through one text, counted by first appearance (`vpc-1`, `vpc-2`), so a
 * reader sees which id is used again; and that columns of a table stay under each other.
 */

export interface Known {
  /** Texts with a name of their own, such as the URL of the sandbox. */
  readonly [text: string]: string;
}

/** AWS ids: kinds such as `vpc-cidr-assoc`, then 17 hexadecimal characters. */
const AWS_ID = /\b([a-z]+(?:-[a-z]+)*)-[0-9a-f]{17}\b/g;
const OWN_ID = /\b(ten|key|ds|net|cell|aud)_[a-z2-7]{16}\b/g;
const REQUEST_ID = /\b(req)_[0-9a-f-]{36}\b/g;
/** A key, or the 8 characters it is recognised by. */
const API_KEY = /\bld_[\w-]{32}(?![\w-])|\bld_[\w-]{5}(?![\w-])/g;
const PUBLIC_ADDRESS = /\b198\.1[89]\.\d{1,3}\.\d{1,3}\b/g;
const MOMENT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)/g;
/** What is left of AWS's 7 days. */
const SECONDS_LEFT = /\b60[0-4]\d{3}\b/g;
const INSTALLATION = /(?<="installation":\s?")[a-z0-9]{12}(?=")/g;

/** Names are counted by the mask; one mask serves one transcript. */
export function masking(known: Known): (text: string) => string {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  const named = (kind: string, thing: string, name: (count: number) => string): string => {
    const before = names.get(`${kind} ${thing}`);
    if (before !== undefined) return before;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    names.set(`${kind} ${thing}`, name(count));
    return name(count);
  };
  const numbered = (text: string, kind: string) => named(kind, text, (count) => `${kind}${count}`);
  const key = (text: string) => {
    const name = named("ld_", text.slice(0, 8), (count) => `ld_${count}`);
    return text.length === 8 ? name : `${name}…`;
  };
  return (given) => {
    let text = given;
    for (const [thing, name] of Object.entries(known)) text = replaced(text, literal(thing), () => name);
    text = replaced(text, AWS_ID, (id) => numbered(id, id.slice(0, -17)));
    text = replaced(text, OWN_ID, (id) => numbered(id, id.slice(0, -16)));
    text = replaced(text, REQUEST_ID, (id) => numbered(id, "req_"));
    text = replaced(text, API_KEY, key);
    text = replaced(text, PUBLIC_ADDRESS, (ip) => named("ip", ip, (count) => `<public-ip-${count}>`));
    text = replaced(text, MOMENT, () => "<time>");
    text = replaced(text, SECONDS_LEFT, () => "<seconds>");
    text = replaced(text, INSTALLATION, () => "<installation>");
    return text.replace(/[ \t]+$/gm, "");
  };
}

/** Before two blanks stands a cell of a table: its column keeps its width. */
function replaced(text: string, pattern: RegExp, name: (found: string) => string): string {
  return text.replace(pattern, (...match: unknown[]) => {
    const found = String(match[0]);
    const offset = Number(match.findLast((one) => typeof one === "number"));
    const isCell = text.startsWith("  ", offset + found.length);
    return isCell ? name(found).padEnd(found.length) : name(found);
  });
}

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"), "g");
}
