/**
 * What an answer of the query protocol says, as lines that can be compared: one line a structure, with where it
 * stands, whose it is and its simple values. Order, and what differs from run to run (times, addresses that are
 * drawn, tokens), is left out.
 *
 *   routeTableSet/item(rtb-01…)/routeSet/item(igw-02…): destinationCidrBlock="0.0.0.0/0" gatewayId="igw-02…"
 */
interface Element {
  readonly name: string;
  readonly children: Element[];
  text: string;
}

/** Ids that the cloud gives out. */
export const ID = /\b[a-z]+(?:-[a-z]+)*-0[0-9a-f]{16}\b/g;

/** Drawn or counted anew in every run. */
const LEFT_OUT = new Set([
  "requestId",
  "RequestID",
  "RequestId",
  "Message",
  "message",
  "publicIp",
  "macAddress",
  "createTime",
  "deleteTime",
  "attachTime",
  "expirationTime",
  "nextToken",
]);

export interface Facts {
  /** The error's code; null when the answer is none. */
  readonly code: string | null;
  readonly lines: readonly string[];
}

export function factsOf(answer: string): Facts {
  const root = parse(answer);
  const error = find(root, "Error");
  const code = error?.children.find((child) => child.name === "Code")?.text ?? null;
  const lines: string[] = [];
  if (code === null) for (const child of root.children) write(child, "", lines);
  return { code, lines };
}

function find(element: Element, name: string): Element | undefined {
  if (element.name === name) return element;
  for (const child of element.children) {
    const found = find(child, name);
    if (found) return found;
  }
  return undefined;
}

/** Adds the line of the element and those below it; the outermost element stands for the whole answer. */
function write(element: Element, above: string, lines: string[]): void {
  const simple = element.children.filter((child) => child.children.length === 0 && child.text !== "");
  const own = element.name === "item" ? simple.find(({ text }) => text.match(ID)?.[0] === text) : undefined;
  const path = [above, own ? `item(${own.text})` : element.name].filter(Boolean).join("/");
  const values = simple.filter((child) => !LEFT_OUT.has(child.name));
  const said = values.map((child) => `${child.name}=${JSON.stringify(child.text)}`);
  const isRoot = above === "" && element.name.endsWith("Response");
  if (said.length > 0) lines.push(`${isRoot ? "answer" : path}: ${said.join(" ")}`.trim());
  for (const child of element.children)
    if (child.children.length > 0) write(child, isRoot ? "" : path, lines);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(#x?)?(\w+);/g, (whole, numeric: string | undefined, name: string) => {
    if (!numeric) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(Number.parseInt(name, numeric === "#x" ? 16 : 10));
  });
}

/** Elements without the attributes, as AWS's answers are. The root's children are the document's elements. */
function parse(xml: string): Element {
  const root: Element = { name: "", children: [], text: "" };
  const open = [root];
  for (const [, closing, name = "", alone, text = ""] of xml.matchAll(
    /<(\/)?([A-Za-z]\w*)[^<>]*?(\/)?>([^<]*)/g,
  )) {
    if (closing) open.pop();
    else {
      const element: Element = { name, children: [], text: unescaped(text) };
      open.at(-1)?.children.push(element);
      if (!alone) open.push(element);
    }
  }
  return root;
}
