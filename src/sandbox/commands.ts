/**
 * The command group `sandbox` as data: what its commands are called, take and do. Whoever composes the program
 * adapts it to its command line and hands in the clock, the streams and the signal to stop.
 */
import { PROFILES, type ProfileName, patchFrom, settings } from "./settings.ts";
import type { Clock } from "./world.ts";

/** What a command is run with. */
export interface CommandContext {
  readonly clock: Clock;
  /** Where a command writes what it is asked for, line by line. */
  readonly print: (line: string) => void;
  /** Where it writes what went wrong. */
  readonly log: (line: string) => void;
  /** Aborted when the program is to stop. */
  readonly signal: AbortSignal;
}

export interface CommandOption {
  readonly name: string;
  readonly brief: string;
  readonly kind: "number" | "text";
  /** Of a text option that has only these values. */
  readonly values?: readonly string[];
  readonly default?: string | number;
  readonly repeated?: boolean;
  /** Stands for the value in usage lines. */
  readonly placeholder: string;
}

interface ServeOptions {
  readonly port?: number | undefined;
  readonly dataDir?: string | undefined;
  readonly profile?: string | undefined;
  readonly set?: readonly string[] | undefined;
}

const DEFAULT_PORT = 4599;

/**
 * Serves until the signal is aborted. Rejects with a RangeError for a profile or setting that does not exist,
 * a DataFolderError, or the system's error (EADDRINUSE, EACCES) when the port cannot be had.
 */
async function serve(context: CommandContext, options: ServeOptions): Promise<void> {
  const { clock, print, log, signal } = context;
  // The SDK's schemas are heavy: they are read when a cloud is served, not when a command is named.
  const { createSandbox } = await import("./server.ts");
  const chosen = settings(profile(options.profile), patchFrom(options.set ?? []));
  const sandbox = await createSandbox({ clock, settings: chosen, dataDir: options.dataDir, log });
  try {
    const { url } = await sandbox.listen(options.port ?? DEFAULT_PORT);
    print(`ready ${url}`);
    await aborted(signal);
  } finally {
    await sandbox.close();
  }
}

function profile(name = "quick"): ProfileName {
  if (Object.hasOwn(PROFILES, name)) return name as ProfileName;
  throw new RangeError(`there is no profile "${name}"; there are: ${Object.keys(PROFILES).join(", ")}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

export const sandboxCommands = {
  group: "sandbox",
  brief: "A small AWS on this machine, for trying things out without an account",
  commands: [
    {
      name: "serve",
      brief: "Run the sandbox cloud",
      description:
        "Speaks the wire protocols of EC2, STS, Service Quotas, MSK and Lambda on one port of this machine. An access key " +
        "of 12 digits is the account of that number, and its secret is test. Prints one line `ready http://127.0.0.1:PORT` when it answers.",
      examples: [
        { what: "In memory", command: "letsdata sandbox serve" },
        {
          what: "With its state kept in a folder",
          command: "letsdata sandbox serve --port 4599 --dataDir ./sandbox",
        },
        {
          what: "With AWS's own times and quotas, but quicker NAT gateways",
          command: "letsdata sandbox serve --profile aws --set natPendingMs=10000",
        },
      ],
      options: [
        {
          name: "port",
          brief: "Port to listen on; 0 = any free one",
          kind: "number",
          default: DEFAULT_PORT,
          placeholder: "port",
        },
        {
          name: "dataDir",
          brief: "Folder that keeps the state; without it the state ends with the process",
          kind: "text",
          placeholder: "folder",
        },
        {
          name: "profile",
          brief: "quick = AWS's rules with short waits; aws = AWS's own times and quotas",
          kind: "text",
          values: Object.keys(PROFILES),
          default: "quick",
          placeholder: "profile",
        },
        {
          name: "set",
          brief: "Override one setting of the profile; may be given several times",
          kind: "text",
          repeated: true,
          placeholder: "name=value",
        },
      ] as readonly CommandOption[],
      run: serve,
    },
  ],
} as const;
