/**
 * The entry, and with serve.ts the composition root: the only place that knows the environment, the console
 * and the clock of the machine. Hands the command line its streams and its local commands. Heavy rooms are
 * imported when they are used, so that a read by the CLI stays quick.
 */
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import type { LocalCommand } from "./cli/commands.ts";
import type { Clock } from "./domain/model.ts";

enableCompileCache();

const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((done) => {
      if (signal?.aborted) return done();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        done();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end, { once: true });
    }),
};

let taker: ((name: NodeJS.Signals) => void) | undefined;

/** Aborted by SIGTERM or Ctrl-C; a second Ctrl-C ends the process at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const)
    process.on(name, () => {
      if (taker) return taker(name);
      if (stopping.signal.aborted) process.exit(130);
      stopping.abort();
    });
  return stopping.signal;
}

/** Signals go to `take` until the returned function is called: for a command that runs another program. */
function takeSignals(take: (name: NodeJS.Signals) => void): () => void {
  const others = ["SIGHUP", "SIGQUIT", "SIGUSR2"] as const;
  taker = take;
  for (const name of others) process.on(name, take);
  return () => {
    taker = undefined;
    for (const name of others) process.off(name, take);
  };
}

/** From the end of `serve` to the end of the process, at most. */
const LAST_WORDS_MS = 300;

const serveCommand: LocalCommand = {
  path: ["serve"],
  brief: "Run the control plane",
  description:
    "Serves the API, keeps every network as it was wished, and, unless it works on AWS, runs a sandbox cloud of its own. " +
    "Prints one line `ready http://127.0.0.1:PORT` when it answers, and writes credentials.json into the data folder.",
  examples: [
    { what: "With the embedded sandbox cloud and database", command: "letsdata serve" },
    {
      what: "On AWS, with a role to assume",
      command: "letsdata serve --cloud aws --roleArn arn:aws:iam::123456789012:role/letsdata",
    },
    {
      what: "With a sandbox that runs by itself",
      command: "letsdata serve --sandboxUrl http://127.0.0.1:4599",
    },
  ],
  options: [
    {
      name: "port",
      kind: "number",
      default: 4580,
      brief: "Port of the API; 0 = any free one",
      placeholder: "port",
    },
    {
      name: "host",
      kind: "string",
      default: "127.0.0.1",
      brief: "Address to listen on",
      placeholder: "address",
    },
    {
      name: "dataDir",
      kind: "string",
      default: ".letsdata",
      brief: "Folder for the database, the sandbox's state and credentials.json",
      placeholder: "folder",
    },
    {
      name: "cloud",
      kind: "string",
      default: "sandbox",
      values: ["sandbox", "aws"],
      brief: "Where networks are made",
    },
    {
      name: "roleArn",
      kind: "string",
      brief: "Role to assume in the platform account (aws)",
      placeholder: "arn",
    },
    {
      name: "functionRoleArn",
      kind: "string",
      brief: "Role that functions of ours in the VPCs run as: `vpcs probe` needs it",
      placeholder: "arn",
    },
    { name: "externalId", kind: "string", brief: "External id for that role (aws)", placeholder: "id" },
    {
      name: "sandboxPort",
      kind: "number",
      default: 0,
      brief: "Port of the embedded sandbox; 0 = any free one",
      placeholder: "port",
    },
    {
      name: "sandboxUrl",
      kind: "string",
      brief: "Use this sandbox instead of an embedded one",
      placeholder: "url",
    },
    {
      name: "sandboxProfile",
      kind: "string",
      default: "quick",
      values: ["quick", "aws"],
      brief: "quick = short waits; aws = AWS's own times",
    },
    {
      name: "sandboxPackets",
      kind: "string",
      default: "auto",
      values: ["auto", "off"],
      brief: "auto = hosts of the sandbox have packets where the kernel allows it; off = control plane only",
    },
    {
      name: "sandboxKafka",
      kind: "string",
      default: "auto",
      brief:
        "auto = clusters' brokers in the sandbox are Kafka where it is (KAFKA_HOME, or `sandbox install kafka`); off = plain listeners; or a folder of Kafka's",
      placeholder: "kafka",
    },
    {
      name: "sandboxSet",
      kind: "list",
      brief: "Override settings of the sandbox: name=value",
      placeholder: "name=value",
    },
    {
      name: "resyncSeconds",
      kind: "number",
      default: 30,
      brief: "How often a network at rest is looked at",
      placeholder: "seconds",
    },
    {
      name: "pricesFile",
      kind: "string",
      brief:
        "Price table to reckon costs with, instead of the one that is built in (see examples/prices.json)",
      placeholder: "file",
    },
    {
      name: "consistencySeconds",
      kind: "number",
      default: 300,
      brief: "How long the cloud may hide what it has made",
      placeholder: "seconds",
    },
  ],
  run: async (options, room) => {
    const { serve } = await import("./serve.ts");
    try {
      return await serve(options, { ...room, clock, env: process.env, random: Math.random });
    } finally {
      // What could not be stopped in time must not keep the process.
      setTimeout(() => process.exit(), LAST_WORDS_MS).unref();
    }
  },
};

// A reader that went away, as in `| head`, is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

const { runCli } = await import("./cli/app.ts");
const { sandboxGroup } = await import("./sandboxGroup.ts");
const sandbox = sandboxGroup({ clock, takeSignals });
process.exitCode = await runCli({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  clock,
  groups: [serveCommand, sandbox],
  signal: stopSignal(),
});
