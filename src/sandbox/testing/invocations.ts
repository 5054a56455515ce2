/**
 * Invoking for tests: functions made of a few lines, invoked over the wire, and what the sandbox itself says of them.
 */
import {
  type CreateFunctionRequest,
  InvokeCommand,
  type InvokeCommandInput,
  type LambdaClient,
} from "@aws-sdk/client-lambda";
import type { OwnAnswer } from "../testing.ts";
import { Functions, zipped } from "./functions.ts";

export interface Answer {
  readonly status: number | undefined;
  readonly error: string | undefined;
  readonly version: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the function answers
  readonly value: any;
  readonly log: string;
}

export interface ShownEnvironment {
  readonly state: string;
  readonly pid: number;
}

/** Files by name, or `index.js` alone. */
export type Files = string | Readonly<Record<string, string>>;

export class Invocations {
  readonly functions: Functions;
  readonly client: LambdaClient;
  #made = 0;

  private constructor(functions: Functions) {
    this.functions = functions;
    this.client = functions.client;
  }

  static async start(): Promise<Invocations> {
    return new Invocations(await Functions.start());
  }

  /** A new function of these files, Active; its name. */
  async active(files: Files, more: Partial<CreateFunctionRequest> = {}): Promise<string> {
    this.#made += 1;
    const name = `f${this.#made}`;
    const ZipFile = zipped(typeof files === "string" ? { "index.js": files } : files);
    await this.functions.makeActive(name, { Code: { ZipFile }, ...more });
    return name;
  }

  async invoke(
    FunctionName: string,
    event?: unknown,
    more: Partial<InvokeCommandInput> = {},
  ): Promise<Answer> {
    const payload = event === undefined ? {} : { Payload: JSON.stringify(event) };
    const said = await this.client.send(new InvokeCommand({ FunctionName, ...payload, ...more }));
    const text = said.Payload?.transformToString() ?? "";
    const { StatusCode: status, FunctionError: error, ExecutedVersion: version, LogResult = "" } = said;
    const log = Buffer.from(LogResult, "base64").toString();
    return { status, error, version, value: text === "" ? undefined : JSON.parse(text), log };
  }

  own(what: string, body?: object): Promise<OwnAnswer> {
    return this.functions.sandbox.own(what, body);
  }

  advance(ms: number): void {
    this.functions.sandbox.clock.advance(ms);
  }

  async linesOf(name: string): Promise<readonly string[]> {
    return (await this.own(`GET functions/${name}/log`)).value?.lines as string[];
  }

  /** Resolves when that stands in the function's log, so many times. */
  async written(name: string, text: string, times = 1): Promise<void> {
    for (;;) {
      const lines = await this.linesOf(name);
      if (lines.filter((line) => line.includes(text)).length >= times) return;
    }
  }

  async environments(name: string): Promise<readonly ShownEnvironment[]> {
    const { value } = await this.own("GET functions");
    const all = value?.functions as { name: string; environments: ShownEnvironment[] }[];
    return all.find((one) => one.name === name)?.environments ?? [];
  }

  /** Of the only environment. */
  async pid(name: string): Promise<number> {
    const [one, ...others] = await this.environments(name);
    if (!one || others.length > 0)
      throw new Error(`${name} has ${others.length + (one ? 1 : 0)} environments`);
    return one.pid;
  }

  close(): Promise<void> {
    return this.functions.sandbox.close();
  }
}
