/**
 * What the tests of this room stand on: a context whose streams are strings and whose clock moves only when somebody
 * sleeps, and a small HTTP server in the place of the API. Used by tests alone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "./app.ts";
import type { CliContext } from "./context.ts";

export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export type Answer = { readonly status: number; readonly body: unknown } | "cut";

/** Stands where the API would: answers what the test says, remembers what it was asked. */
export class Peer {
  readonly heard: Heard[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #answer: (heard: Heard, count: number) => Answer;

  private constructor(answer: (heard: Heard, count: number) => Answer) {
    this.#answer = answer;
  }

  static async start(answer: (heard: Heard, count: number) => Answer): Promise<Peer> {
    const peer = new Peer(answer);
    await new Promise<void>((resolve) => peer.#server.listen(0, "127.0.0.1", resolve));
    return peer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part);
    const text = Buffer.concat(parts).toString("utf8");
    const { method = "", url: path = "", headers } = request;
    const heard = { method, path, headers, body: text ? JSON.parse(text) : null };
    this.heard.push(heard);
    const answer = this.#answer(heard, this.heard.length);
    if (answer === "cut") {
      request.socket.destroy();
      return;
    }
    const type = answer.status < 400 ? "application/json" : "application/problem+json";
    response.writeHead(answer.status, { "content-type": type, "x-request-id": "req-1" });
    response.end(JSON.stringify(answer.body));
  }
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function problem(status: number, code: string, message: string, hint?: string): Answer {
  return { status, body: { status, code, message, hint: hint ?? null, requestId: "req-1" } };
}

export class FakeClock {
  #now = 1_000_000;
  readonly #onSleep: (slept: number) => void;

  /** `onSleep` gets the milliseconds slept so far. */
  constructor(onSleep: (slept: number) => void = () => {}) {
    this.#onSleep = onSleep;
  }

  now(): number {
    return this.#now;
  }

  async sleep(ms: number): Promise<void> {
    this.#now += ms;
    this.#onSleep(this.#now - 1_000_000);
  }
}

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Setting = Partial<Omit<CliContext, "stdin" | "stdout" | "stderr">> & {
  readonly stdin?: string;
  /** Width of the terminal; without it there is none. */
  readonly terminal?: number;
};

/** Runs the command line with nothing but what is given. */
export async function cli(argv: readonly string[], setting: Setting = {}): Promise<Ran> {
  const { terminal, stdin = "", ...rest } = setting;
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({
    ...(terminal !== undefined && { isTTY: true, columns: terminal }),
    write: (text: string) => {
      written[name] += text;
    },
  });
  const exit = await runCli({
    argv,
    env: { NO_COLOR: "1" },
    cwd: "/nonexistent",
    home: "/nonexistent",
    stdin: (async function* () {
      yield stdin;
    })(),
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    clock: new FakeClock(),
    groups: [],
    signal: new AbortController().signal,
    ...rest,
  });
  return { exit, ...written };
}

/** A folder that is gone when the test is over. */
export function folder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "letsdata-cli-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
