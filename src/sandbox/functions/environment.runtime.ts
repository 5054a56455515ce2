/**
 * The process of an execution environment: loads a function's handler once and calls it for each invocation, as
 * Lambda's Node.js runtime does. It is told what to do over file descriptor 3 and says there what came of it; the
 * function has its output to itself. It ends when the sandbox does. Time, environment and console are the function's
 * own here, not the sandbox's.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 */
import net from "node:net";
import { format, types } from "node:util";
import { type Callback, type Handler, loadHandler, RuntimeError } from "./handlerLoading.ts";
import {
  type FromProcess,
  type FunctionError,
  type Invoke,
  Lines,
  type Start,
  type ToProcess,
} from "./messages.ts";

const CHANNEL = 3;
const channel = new net.Socket({ fd: CHANNEL, readable: true, writable: true });
// Before anything of the function's can change them.
const { stdout } = process;
const write = stdout.write.bind(stdout);
const exit = process.exit.bind(process);
const elapsed = performance.now.bind(performance);

let start: Start | undefined;
let handler: Handler | undefined;
let running: Invocation | undefined;

stdout.on("error", () => {});
channel.setEncoding("utf8");
channel.on("error", () => exit());
channel.on("end", () => exit());
const lines = new Lines();
channel.on("data", (chunk: string) => {
  for (const line of lines.take(chunk)) take(JSON.parse(line));
});

function take(message: ToProcess): void {
  if (message.is === "start") void begin(message);
  else void new Invocation(message).run();
}

function send(message: FromProcess, then?: () => void): void {
  channel.write(`${JSON.stringify(message)}\n`, then);
}

/** Once everything that was written before stands on the output. */
function marked(then: (isMarked: boolean) => void): void {
  write(start?.mark ?? "", (error) => then(!error));
}

async function begin(message: Start): Promise<void> {
  start = message;
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, message.environment);
  process.chdir(message.root);
  speakAsLambda();
  try {
    handler = await loadHandler(message);
    send({ is: "started" });
  } catch (thrown) {
    console.error("Uncaught Exception", logged(thrown));
    failed(thrown);
  }
}

function failed(thrown: unknown): void {
  marked((isMarked) => send({ is: "failed", error: reported(thrown), isMarked }, () => exit(1)));
}

const LEVELS = {
  log: "INFO",
  info: "INFO",
  debug: "DEBUG",
  warn: "WARN",
  error: "ERROR",
  trace: "TRACE",
} as const;

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html */
function speakAsLambda(): void {
  for (const [name, level] of Object.entries(LEVELS))
    console[name as keyof typeof LEVELS] = (...said: unknown[]) => {
      const at = new Date().toISOString();
      write(`${at}\t${running?.asked.requestId ?? "undefined"}\t${level}\t${format(...said)}\n`);
    };
}

function reported(thrown: unknown): FunctionError {
  try {
    if (!types.isNativeError(thrown))
      return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
    const { name, message, stack = "" } = thrown;
    return { errorType: name, errorMessage: message, trace: stack.split("\n") };
  } catch {
    const errorMessage =
      "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack";
    return { errorType: "handled", errorMessage, trace: [] };
  }
}

/** As Lambda writes an error into the log. */
function logged(thrown: unknown): string {
  const { trace, ...said } = reported(thrown);
  try {
    return `\t${JSON.stringify({ ...said, ...(thrown as object), stack: trace })}`;
  } catch {
    return `\t${JSON.stringify({ ...said, stack: trace })}`;
  }
}

class Invocation {
  readonly asked: Invoke;
  readonly #until: number;
  #isOver = false;
  /** What is done when nothing is left to wait for. */
  #atRest = () => this.#done({ result: null });

  constructor(asked: Invoke) {
    this.asked = asked;
    this.#until = elapsed() + asked.remainingMs;
    running = this;
  }

  async run(): Promise<void> {
    // Nothing but the function's own work is to keep the process waiting.
    channel.unref();
    try {
      const event: unknown = JSON.parse(this.asked.payload);
      const answer = handler?.(event, this.#context(), this.#callback);
      const isAnswer = start?.runtime === "nodejs24.x" || isPromise(answer);
      if (isAnswer) this.#done({ result: await answer });
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  atRest(): void {
    this.#atRest();
  }

  /** Without an answer of its own: what was not caught. */
  fatal(thrown: unknown, code: number): void {
    this.#done({ thrown }, () => exit(code));
  }

  readonly #callback: Callback = (error, result) => {
    if (this.#isCalled) return;
    this.#isCalled = true;
    if (error !== undefined && error !== null) this.#fail(error);
    else if (!this.#waitsForRest) this.#done({ result });
    else this.#atRest = () => this.#done({ result });
  };

  #isCalled = false;
  #waitsForRest = true;

  #fail(thrown: unknown): void {
    if (this.#isOver) return;
    console.error("Invoke Error", logged(thrown));
    this.#done({ thrown });
  }

  #done(came: { readonly result?: unknown; readonly thrown?: unknown }, then?: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    channel.ref();
    const answer = "thrown" in came ? { error: reported(came.thrown) } : serialized(came.result);
    const memoryMiB = Math.ceil(process.memoryUsage.rss() / 2 ** 20);
    const { requestId } = this.asked;
    marked((isMarked) => {
      running = undefined;
      send({ is: "done", requestId, ...answer, isMarked, memoryMiB }, then);
    });
  }

  #context(): object {
    const environment = start?.environment ?? {};
    const { requestId, functionArn, clientContext } = this.asked;
    const own = {
      functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION,
      memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
      clientContext: clientContext === undefined ? undefined : JSON.parse(clientContext),
      identity: undefined,
      invokedFunctionArn: functionArn,
      awsRequestId: requestId,
      getRemainingTimeInMillis: () => Math.max(0, Math.floor(this.#until - elapsed())),
    };
    return start?.runtime === "nodejs24.x" ? own : this.#withOldWays(own);
  }

  /** What Node.js 24 has no more. */
  #withOldWays(own: object): object {
    const done: Callback = (error, result) =>
      error !== undefined && error !== null ? this.#fail(error) : this.#done({ result });
    const waits = {
      get: () => this.#waitsForRest,
      set: (is: boolean) => {
        this.#waitsForRest = is;
      },
      enumerable: true,
    };
    const old = {
      done,
      succeed: (result: unknown) => done(null, result),
      fail: (error: unknown) => done(error ?? "handled"),
    };
    return Object.defineProperty({ ...own, ...old }, "callbackWaitsForEmptyEventLoop", waits);
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as Promise<unknown> | undefined | null)?.then === "function";
}

function serialized(result: unknown): { response: string } | { error: FunctionError } {
  try {
    return { response: JSON.stringify(result === undefined ? null : result) ?? "null" };
  } catch {
    const why = new RuntimeError("JSONStringifyError", "Unable to stringify response body");
    if (start?.runtime !== "nodejs24.x") why.name = "Error";
    return { error: reported(why) };
  }
}

process.on("beforeExit", () => running?.atRest());

function uncaught(thrown: unknown, code: number): void {
  if (running) running.fatal(thrown, code);
  else if (handler) exit(code);
  else failed(thrown);
}

process.on("uncaughtException", (error) => {
  console.error("Uncaught Exception", logged(error));
  uncaught(error, 129);
});

process.on("unhandledRejection", (reason) => {
  const error = new RuntimeError("UnhandledPromiseRejection", String(reason));
  console.error("Unhandled Promise Rejection", logged(error));
  uncaught(error, 128);
});
