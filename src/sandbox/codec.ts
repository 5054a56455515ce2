/**
 * AWS's query protocols, server side: request form to typed input, typed output to XML, errors to XML. It is
 * driven by the schemas the SDK exports and knows no operation and no shape of its own, so every operation of
 * the SDK is read and written the same way. Refuses parameters the operation does not have.
 *
 *   ec2:  Filter.1.Value.2=x   <XResponse><requestId/>...<item/></XResponse>       <Response><Errors>...
 *   aws:  Tags.member.1.Key=x  <XResponse><XResult>...<member/></XResult>...       <ErrorResponse>...
 *
 * https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
import { AwsError } from "./errors.ts";
import { type Kind, type Naming, NOTHING, type Operation, operationsOf, type Shape } from "./schemas.ts";

/** One level of the form for each dot of a key; a node has a value, children, or (wrongly) both. */
export interface FormNode {
  value?: string;
  readonly children: Map<string, FormNode>;
}

/** `Filter.1.Value.2=x` as a tree. Works for bodies and for query strings. */
export function parseForm(text: string): FormNode {
  const root: FormNode = { children: new Map() };
  for (const [key, value] of new URLSearchParams(text)) {
    let node = root;
    for (const part of key.split(".")) {
      const child: FormNode = node.children.get(part) ?? { children: new Map() };
      node.children.set(part, child);
      node = child;
    }
    node.value = value;
  }
  return root;
}

/** An HTTP request, as much of it as a protocol looks at. */
export interface RawRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** What is asked for, not yet checked. */
export interface Asked {
  /** Empty when the request names none. */
  readonly action: string;
  /** Whether the request bears the parameter, by its name on the wire. */
  has(parameter: string): boolean;
  /**
   * The input of an action the protocol has. Codes: UnknownParameter, MissingParameter, InvalidParameterValue,
   * and DryRunOperation when all is well and DryRun is asked for; JSON's own are in jsonCodec.ts.
   */
  input(): object;
}

/** What the server needs of a protocol. */
export interface Protocol {
  readonly contentType: string;
  has(action: string): boolean;
  ask(request: RawRequest): Asked;
  /** The error for an action that is empty, or that the service does not have. */
  unknown(action: string): AwsError;
  write(action: string, requestId: string, output: object | undefined): Written;
  error(requestId: string, error: AwsError): Written;
}

/** An answer as the protocol words it. */
export interface Written {
  readonly body: string | Uint8Array;
  /** 200, or the error's own, unless it says so. */
  readonly status?: number;
  /** Beside the content type and the request's id. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The EC2 flavour over `@aws-sdk/client-ec2`'s exports. */
export function ec2Query(sdk: object, xmlns: string): Protocol {
  const naming: Naming = {
    key: (name, traits) => traits.ec2QueryName ?? capitalised(traits.xmlName ?? name),
    flat: true,
  };
  const operations = operationsOf(sdk, naming);
  return {
    ...queryRequests(operations),
    write(action, requestId, output) {
      const shape = operations.get(action)?.output;
      // An operation without output still says that it was done.
      const inner = shape ? members(shape, output ?? {}) : "<return>true</return>";
      return { body: document(`${action}Response`, xmlns, element("requestId", requestId) + inner) };
    },
    error: (requestId, { code, message }) => ({
      body:
        `${DECLARATION}<Response><Errors><Error>${element("Code", code)}${element("Message", message)}</Error>` +
        `</Errors>${element("RequestID", requestId)}</Response>`,
    }),
  };
}

/** The flavour of STS, IAM and others: a result wrapper, `member` in lists. */
export function awsQuery(sdk: object, xmlns: string): Protocol {
  const naming: Naming = { key: (name, traits) => traits.xmlName ?? name, flat: false };
  const operations = operationsOf(sdk, naming);
  const metadata = (requestId: string) =>
    `<ResponseMetadata>${element("RequestId", requestId)}</ResponseMetadata>`;
  return {
    ...queryRequests(operations),
    write(action, requestId, output) {
      const shape = operations.get(action)?.output;
      const result = shape ? wrap(`${action}Result`, members(shape, output ?? {})) : "";
      return { body: document(`${action}Response`, xmlns, result + metadata(requestId)) };
    },
    error(requestId, { code, message, status }) {
      const type = element("Type", status < 500 ? "Sender" : "Receiver");
      const body = wrap("Error", type + element("Code", code) + element("Message", message));
      return { body: document("ErrorResponse", xmlns, body + element("RequestId", requestId)) };
    },
  };
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

// ---- reading ----------------------------------------------------------------------------------------------

const COMMON_PARAMETERS = new Set(["Action", "Version"]);

/** The half that both flavours share. */
function queryRequests(
  operations: ReadonlyMap<string, Operation>,
): Pick<Protocol, "contentType" | "has" | "ask" | "unknown"> {
  return {
    contentType: "text/xml;charset=UTF-8",
    has: (action) => operations.has(action),
    ask({ method, url, body }) {
      const form = parseForm(
        method === "GET" ? url.slice(url.indexOf("?") + 1 || url.length) : body.toString(),
      );
      const action = form.children.get("Action")?.value ?? "";
      return {
        action,
        has: (parameter) => form.children.has(parameter),
        input: () => readInput(operations.get(action), form),
      };
    },
    unknown: (action) =>
      action === ""
        ? new AwsError("MissingAction", "The request is missing an action or a required parameter.")
        : new AwsError("InvalidAction", `The action ${action} is not valid for this web service.`),
  };
}

function readInput(operation: Operation | undefined, form: FormNode): object {
  const children = [...form.children].filter(([key]) => !COMMON_PARAMETERS.has(key));
  const input = readStructure(operation?.input ?? NOTHING, { children: new Map(children) }, "");
  if (input.DryRun === true)
    throw new AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
  return input;
}

function read(shape: Shape, node: FormNode, path: string): unknown {
  if (shape.kind === "structure") return readStructure(shape, node, path);
  if (shape.kind === "list") return readList(shape, node, path);
  if (node.children.size > 0) throw unknownParameter(`${path}.${firstKey(node)}`);
  return readSimple(shape.kind, node.value ?? "", path);
}

function readStructure(shape: Shape, node: FormNode, path: string): Record<string, unknown> {
  const prefix = path === "" ? "" : `${path}.`;
  if (node.value) throw invalidValue(node.value, path);
  const left = new Set(node.children.keys());
  const result: Record<string, unknown> = {};
  for (const { name, key, shape: member } of shape.members) {
    const child = node.children.get(key);
    if (child) result[name] = read(member, child, prefix + key);
    left.delete(key);
  }
  for (const key of left) throw unknownParameter(prefix + key);
  for (const { name, key, required } of shape.members)
    if (required && result[name] === undefined) throw missingParameter(prefix + key);
  return result;
}

function readList(shape: Shape, node: FormNode, path: string): unknown[] {
  const { item } = shape;
  if (!item) return [];
  // The SDK writes an empty list of the aws flavour as a key without a value.
  if (node.children.size === 0 && !node.value) return [];
  if (node.value) throw invalidValue(node.value, path);
  const wrapper = item.flat ? node : node.children.get(item.element);
  if (!wrapper) throw unknownParameter(`${path}.${firstKey(node)}`);
  const entries = [...wrapper.children].map(([index, child]) => {
    if (!/^\d{1,9}$/.test(index)) throw unknownParameter(`${path}.${index}`);
    return { index: Number(index), value: read(item.shape, child, `${path}.${index}`) };
  });
  return entries.sort((a, b) => a.index - b.index).map((entry) => entry.value);
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function readSimple(kind: Kind, text: string, path: string): unknown {
  if (kind === "string") return text;
  if (kind === "boolean" && /^(true|1)$/i.test(text)) return true;
  if (kind === "boolean" && /^(false|0)$/i.test(text)) return false;
  if (kind === "number" && NUMBER.test(text)) return Number(text);
  if (kind === "bigInteger" && /^[+-]?\d+$/.test(text)) return BigInt(text);
  if (kind === "timestamp" && !Number.isNaN(Date.parse(text))) return new Date(text);
  if (kind === "blob" && /^[A-Za-z0-9+/]*={0,2}$/.test(text))
    return new Uint8Array(Buffer.from(text, "base64"));
  throw invalidValue(text, path);
}

function firstKey(node: FormNode): string {
  return node.children.keys().next().value ?? "";
}

function unknownParameter(path: string): AwsError {
  return new AwsError("UnknownParameter", `The parameter ${path} is not recognized`);
}

function missingParameter(path: string): AwsError {
  const name = path.charAt(0).toLowerCase() + path.slice(1);
  return new AwsError("MissingParameter", `The request must contain the parameter ${name}`);
}

function invalidValue(value: string, path: string): AwsError {
  return new AwsError("InvalidParameterValue", `Value (${value}) for parameter ${path} is invalid.`);
}

// ---- writing ----------------------------------------------------------------------------------------------

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

function document(root: string, xmlns: string, inner: string): string {
  return `${DECLARATION}<${root} xmlns="${xmlns}">${inner}</${root}>`;
}

/** Members the schema does not have are dropped, undefined ones left out. */
function members(shape: Shape, value: object): string {
  const values = value as Readonly<Record<string, unknown>>;
  return shape.members.map((member) => write(member.shape, member.element, values[member.name])).join("");
}

function write(shape: Shape, tag: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (shape.kind === "structure") return wrap(tag, members(shape, value as object));
  if (shape.kind !== "list" || !shape.item) return element(tag, simpleText(value));
  const { item } = shape;
  return wrap(tag, (value as readonly unknown[]).map((one) => write(item.shape, item.element, one)).join(""));
}

function simpleText(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  // Beyond 2^53 a number prints with an exponent, which clients of AWS do not read.
  return Number.isInteger(value) ? BigInt(value as number).toString() : String(value);
}

function wrap(tag: string, inner: string): string {
  return inner === "" ? `<${tag}/>` : `<${tag}>${inner}</${tag}>`;
}

function element(tag: string, text: string): string {
  return `<${tag}>${escaped(text)}</${tag}>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Control characters are written as references: a parser would turn CR and LF in tag values into others. */
function escaped(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped here
    /[&<>"\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => ENTITIES[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}
