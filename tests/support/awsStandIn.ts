/**
 * Stands in for `aws …` where the real command is not installed: the same request by the SDK, the same JSON
 * out. Knows the commands of our stories, demos and README (see awsStandInCommands.ts), with `--query` as a dotted path
 * and `--output json|text`. Refuses every command and option that it does not know, so that nothing is left out in
 * silence.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { ServiceException } from "@smithy/core/client";
import { type Kind, type Known, SERVICES, type Service } from "./awsStandInCommands.ts";

type Input = Record<string, unknown>;

/** Options of every command; the SDK waits long enough by itself. */
const GLOBALS = ["endpoint-url", "region", "output", "query", "cli-read-timeout"];

interface Asked {
  readonly name: string;
  readonly known: Known;
  readonly service: Service;
  readonly input: Input;
  /** The file that a last word names. */
  readonly file: string | undefined;
  readonly globals: Readonly<Record<string, string>>;
}

interface Given {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, readonly string[]>>;
  readonly globals: Readonly<Record<string, string>>;
}

/** Global options take one value and stand before or after the command's words. */
function given(argv: readonly string[]): Given {
  const words: string[] = [];
  const options: Record<string, string[]> = {};
  const globals: Record<string, string> = {};
  let open: string[] = words;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    const option = word.startsWith("--") ? word.slice(2) : null;
    if (option === null) {
      open.push(word);
      if (!takesMany(words, options, open)) open = words;
    } else if (GLOBALS.includes(option)) globals[option] = argv[++at] ?? "";
    else {
      open = [];
      options[option] = open;
    }
  }
  return { words, options, globals };
}

/** Whether more words may follow in that option. */
function takesMany(words: readonly string[], options: Given["options"], open: readonly string[]): boolean {
  const [service = "", name = ""] = words;
  const option = Object.keys(options).find((key) => options[key] === open) ?? "";
  const kind = SERVICES[service]?.commands[name]?.options[option]?.[1];
  return kind === undefined || kind === "list" || kind === "filters" || kind === "on";
}

function parsed(argv: readonly string[]): Asked {
  const { words, options, globals } = given(argv);
  const [serviceName = "", name = "", file, ...rest] = words;
  const service = SERVICES[serviceName];
  const known = service?.commands[name];
  const isFile = file !== undefined;
  if (!service || !known || rest.length > 0 || isFile !== (known.saves !== undefined))
    throw new Error(`the stand-in does not know: aws ${words.join(" ")}`);
  const input = inputOf(known, `${serviceName} ${name}`, options);
  return { name, known, service, input, file, globals };
}

function inputOf({ options }: Known, command: string, asked: Given["options"]): Input {
  return Object.fromEntries(
    Object.entries(asked).map(([option, values]) => {
      const found = options[option];
      if (!found) throw new Error(`the stand-in does not know: aws ${command} --${option}`);
      return [found[0], memberOf(found[1], values)];
    }),
  );
}

function memberOf(kind: Kind, values: readonly string[]): unknown {
  if (kind === "on") return { Value: true };
  if (kind === "list") return values;
  if (kind === "filters") return values.map(filterOf);
  const bytes = bytesOf(values[0] ?? "");
  if (kind === "bytes") return bytes;
  if (kind === "base64") return bytes.toString("base64");
  const text = bytes.toString();
  if (kind === "number") return Number(text);
  return kind === "json" ? JSON.parse(text) : text;
}

/** https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html */
function bytesOf(word: string): Buffer {
  const file = /^fileb?:\/\/(.+)$/.exec(word)?.[1];
  return file === undefined ? Buffer.from(word) : readFileSync(file);
}

function filterOf(text: string): Input {
  const { 1: Name, 2: list = "" } = /^Name=([^,]+),Values=(.+)$/.exec(text) ?? [];
  if (!Name) throw new Error(`the stand-in does not understand the filter ${text}`);
  return { Name, Values: list.split(",") };
}

async function answered({ known, service, input, file, globals }: Asked): Promise<Input> {
  const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_DEFAULT_REGION } = process.env;
  const endpoint = globals["endpoint-url"];
  const region = globals.region ?? AWS_DEFAULT_REGION;
  if (!endpoint || !region)
    throw new Error("the stand-in needs --endpoint-url, and --region or AWS_DEFAULT_REGION");
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const client = new service.client({ endpoint, region, credentials, maxAttempts: 1 });
  try {
    // The commands of the table are of many types, and a client's types want one at a time.
    const reply = await client.send(known.make(input as never) as never);
    const { $metadata, [known.saves ?? ""]: saved, ...answer } = reply as Input;
    if (file !== undefined) writeFileSync(file, saved as Uint8Array);
    return answer;
  } finally {
    client.destroy();
  }
}

function picked(answer: unknown, path: string | undefined): unknown {
  const names = (path ?? "").split(/[.[\]]+/).filter(Boolean);
  return names.reduce((at, name) => (at as Input | undefined)?.[name], answer);
}

async function main(): Promise<number> {
  const asked = parsed(process.argv.slice(2));
  try {
    const answer = picked(await answered(asked), asked.globals.query);
    const isNothing = typeof answer === "object" && answer !== null && Object.keys(answer).length === 0;
    if (isNothing) return 0;
    console.log(asked.globals.output === "text" ? String(answer) : JSON.stringify(answer, null, 4));
    return 0;
  } catch (error) {
    if (!(error instanceof ServiceException)) throw error;
    const operation = asked.name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
    const { name, message } = error;
    console.error(`\nAn error occurred (${name}) when calling the ${operation} operation: ${message}`);
    return 254;
  }
}

process.exitCode = await main();
