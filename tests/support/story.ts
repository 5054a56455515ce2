/**
 * Stories: CLI commands with comments, run one after the other against a server and a sandbox of their own; what
 * came of it is a transcript. A story knows four kinds of lines:
 *
 *   ## name              begins a piece, which a document can take in by that name
 *   # text               a comment; it stands in the transcript too
 *   keep NAME a.0.b      keeps a value of the JSON that was printed last, or without a path all that was
 *                        printed; $NAME then stands for it
 *   anything else        a command for the shell; it goes on after a `\` at the end, and up to the end of a `<<EOF`
 *
 * A story that needs packets says so in its first line. Promises that `aws` speaks to the sandbox only, and that everything started is stopped.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../sources.ts";
import { CUSTOMER_ACCOUNT, commandLine, sameError, sameShape } from "./customer.ts";
import { type Known, masking } from "./masks.ts";
import { startServe } from "./served.ts";

export type Line =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "keep"; readonly name: string; readonly path: string }
  | { readonly kind: "command"; readonly text: string };

export interface Told {
  readonly transcript: string;
  /** Which `aws` it was. */
  readonly aws: string;
}

/** True for one that can be told only where hosts and functions have packets. */
export function needsPackets(story: string): boolean {
  return /^# needs packets$/.test(story.split("\n")[0] ?? "");
}

export function parseStory(story: string): Line[] {
  const lines = story.trimEnd().split("\n");
  const parsed: Line[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const { 1: name = "", 2: path = "" } = /^keep (\w+)(?: (\S+))?$/.exec(line) ?? [];
    if (line === "" || line.startsWith("#")) parsed.push({ kind: "text", text: line });
    else if (name) parsed.push({ kind: "keep", name, path });
    else {
      const last = lastLineOf(lines, at);
      parsed.push({ kind: "command", text: lines.slice(at, last + 1).join("\n") });
      at = last;
    }
  }
  return parsed;
}

function lastLineOf(lines: readonly string[], first: number): number {
  let last = first;
  while (lines[last]?.endsWith("\\")) last += 1;
  const end = /<<'?(\w+)'?/.exec(lines[last] ?? "")?.[1];
  return end === undefined ? last : lines.indexOf(end, last);
}

const SERVE =
  "exec letsdata serve --port 0 --dataDir .letsdata --functionRoleArn arn:aws:iam::999999999999:role/probes";

/** A folder after the first start of the server in it, to be told stories in. Making one takes seconds. */
export async function startedOnce(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "letsdata-story-"));
  const { env } = commandLine(folder);
  const served = await startServe({ command: SERVE, cwd: folder, env });
  await served.stop();
  return folder;
}

/** Tells the story in a copy of that folder. */
export async function tell(story: string, started: string): Promise<Told> {
  const folder = mkdtempSync(join(tmpdir(), "letsdata-story-"));
  try {
    cpSync(join(ROOT, "examples"), join(folder, "examples"), { recursive: true });
    cpSync(join(started, ".letsdata"), join(folder, ".letsdata"), { recursive: true });
    const { env, aws } = commandLine(folder);
    const served = await startServe({ command: SERVE, cwd: folder, env });
    try {
      return { transcript: await transcriptOf(story, { folder, env, apiUrl: served.url }), aws };
    } finally {
      await served.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly apiUrl: string;
}

async function transcriptOf(story: string, { folder, env, apiUrl }: Place): Promise<string> {
  const { sandboxUrl } = JSON.parse(readFileSync(join(folder, ".letsdata/credentials.json"), "utf8")) as {
    sandboxUrl: string;
  };
  const known: Known = { [sandboxUrl]: "$SANDBOX_URL", [apiUrl]: "$LETSDATA_URL", [folder]: "<folder>" };
  const mask = masking(known);
  const values = new Map([
    ["SANDBOX_URL", sandboxUrl],
    ["LETSDATA_URL", apiUrl],
  ]);
  const customer = {
    AWS_ACCESS_KEY_ID: CUSTOMER_ACCOUNT,
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_DEFAULT_REGION: "us-east-1",
  };
  const told: string[] = [];
  let printed = "";
  for (const line of parseStory(story)) {
    if (line.kind === "text") told.push(line.text);
    else if (line.kind === "keep") values.set(line.name, valueAt(printed, line.path));
    else {
      const ran = await run(filledIn(line.text, values), { folder, env: { ...env, ...customer } });
      printed = ran.stdout;
      told.push(mask(written(ran)));
    }
  }
  return `${told.join("\n")}\n`;
}

function filledIn(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/"\$(\w+)"|\$(\w+)/g, (found, quoted?: string, bare?: string) => {
    return values.get(quoted ?? bare ?? "") ?? found;
  });
}

function valueAt(json: string, path: string): string {
  if (path === "") return json.trim();
  let value: unknown = JSON.parse(json);
  for (const name of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[name];
  if (typeof value !== "string") throw new Error(`nothing to keep at ${path} of ${json}`);
  return value;
}

interface Ran {
  readonly command: string;
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

const ASKS_AWS = /(?:^|[|;&(\s])aws\s/;

function run(command: string, { folder, env }: Pick<Place, "folder" | "env">): Promise<Ran> {
  const asksAws = ASKS_AWS.test(command);
  if (asksAws && !/--endpoint-url http:\/\/127\.0\.0\.1:\d+/.test(command))
    throw new Error(`an aws command of a story names --endpoint-url "$SANDBOX_URL": ${command}`);
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", command], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      const exit = code ?? 1;
      const ran = { command, exit, stdout, stderr };
      resolve(asksAws ? { ...ran, ...sameAws(ran) } : ran);
    });
  });
}

/** Versions of the real command count their errors differently. */
function sameAws({ exit, stdout, stderr }: Ran): Omit<Ran, "command"> {
  return { exit: exit === 0 ? 0 : 254, stdout: sameShape(stdout), stderr: sameError(stderr) };
}

function written({ command, exit, stdout, stderr }: Ran): string {
  const [first, ...more] = command.split("\n");
  const lines = [`$ ${first}`, ...more.map((line) => `> ${line}`)];
  lines.push(...linesOf(stdout), ...linesOf(stderr).map((line) => `2> ${line}`), `exit ${exit}`);
  return lines.join("\n");
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
