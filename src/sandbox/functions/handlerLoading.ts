/**
 * Finds a function's handler as Lambda's Node.js runtime does: `folder/file.export.nested`, CommonJS or a module of
 * its own kind. Promises an error of the type that Lambda reports for what is not there or cannot be read.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

export type Handler = (event: unknown, context: object, callback: Callback) => unknown;
export type Callback = (error?: unknown, result?: unknown) => void;

/** An error whose name is the type that Lambda reports. */
export class RuntimeError extends Error {
  constructor(name: string, message: string, stack?: string) {
    super(message);
    this.name = `Runtime.${name}`;
    if (stack !== undefined) this.stack = stack;
  }
}

const CALLBACKS_REMOVED =
  "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.";

export interface Sought {
  readonly root: string;
  readonly handler: string;
  readonly runtime: string;
}

/** Rejects with what Lambda reports: the module's own error, or a RuntimeError. */
export async function loadHandler({ root, handler, runtime }: Sought): Promise<Handler> {
  if (handler.includes(".."))
    throw new RuntimeError(
      "MalformedHandlerName",
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  const folder = path.dirname(handler);
  const [, file = "", name = ""] = /^([^.]*)\.(.*)$/.exec(path.basename(handler)) ?? [];
  if (file === "") throw new RuntimeError("MalformedHandlerName", "Bad handler");
  const exported = await load(path.join(root, folder, file), root).catch((thrown: unknown) => {
    throw worded(thrown);
  });
  const found = member(exported, name) ?? member(member(exported, "default"), name);
  if (!found) throw new RuntimeError("HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw new RuntimeError("HandlerNotFound", `${handler} is not a function`);
  if (runtime === "nodejs24.x" && found.length >= 3)
    throw new RuntimeError("CallbackHandlerDeprecated", CALLBACKS_REMOVED);
  return found as Handler;
}

const ENDINGS = ["", ".js", ".mjs", ".cjs"];

async function load(base: string, root: string): Promise<unknown> {
  const file = ENDINGS.map((ending) => base + ending).find(isFile);
  const require = createRequire(path.join(root, "/"));
  // What is not there is asked for all the same: Node says it in its own words.
  if (file === undefined) return require(base);
  return isModule(file) ? import(pathToFileURL(file).href) : require(file);
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** https://nodejs.org/api/packages.html#determining-module-system */
function isModule(file: string): boolean {
  if (file.endsWith(".mjs")) return true;
  if (!file.endsWith(".js")) return false;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const own = path.join(folder, "package.json");
    if (existsSync(own)) return (createRequire(own)(own) as { type?: string }).type === "module";
    if (folder === path.dirname(folder)) return false;
  }
}

function member(value: unknown, names: string): unknown {
  return names.split(".").reduce<unknown>((nested, name) => {
    if (nested === null || (typeof nested !== "object" && typeof nested !== "function")) return undefined;
    return (nested as Readonly<Record<string, unknown>>)[name];
  }, value);
}

function worded(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  if (thrown instanceof SyntaxError)
    return new RuntimeError("UserCodeSyntaxError", String(thrown), thrown.stack);
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND")
    return new RuntimeError("ImportModuleError", String(thrown), thrown.stack);
  return thrown;
}
