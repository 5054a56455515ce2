/**
 * `letsdata sandbox serve`: the small cloud as a process of its own, until it is told to stop.
 */
import { kafkaPlaces } from "../brokers/software.ts";
import { PROFILES, type ProfileName, patchFrom, settings } from "../settings.ts";
import type { CommandContext, SandboxCommand } from "./command.ts";

interface ServeOptions {
  readonly port?: number | undefined;
  readonly dataDir?: string | undefined;
  readonly profile?: string | undefined;
  readonly packets?: string | undefined;
  readonly kafka?: string | undefined;
  readonly set?: readonly string[] | undefined;
}

const DEFAULT_PORT = 4599;

/**
 * Serves until the signal is aborted. Rejects with a RangeError for a profile or setting that does not exist,
 * a DataFolderError, or the system's error (EADDRINUSE, EACCES) when the port cannot be had.
 */
async function serve(context: CommandContext, options: ServeOptions): Promise<void> {
  const { clock, print, log, signal, env, cwd } = context;
  // The SDK's schemas are heavy: they are read when a cloud is served, not when a command is named.
  const { createSandbox } = await import("../server.ts");
  const chosen = settings(profile(options.profile), patchFrom(options.set ?? []));
  const { dataDir } = options;
  const kafka = kafkaPlaces(options.kafka, { env, cwd, dataDir });
  const packets = options.packets !== "off";
  const sandbox = await createSandbox({ clock, settings: chosen, dataDir, packets, kafka, log });
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

export const serveCommand: SandboxCommand<ServeOptions> = {
  name: "serve",
  brief: "Run the sandbox cloud",
  description:
    "Speaks the wire protocols of EC2, STS, Service Quotas, MSK, Secrets Manager and Lambda on one port of this machine. An access key of 12 digits " +
    "is the account of that number, and its secret is test. Prints one line `ready http://127.0.0.1:PORT` when it answers.",
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
      name: "packets",
      brief: "auto = hosts have packets where the kernel allows it; off = control plane only",
      kind: "text",
      values: ["auto", "off"],
      default: "auto",
      placeholder: "packets",
    },
    {
      name: "kafka",
      brief:
        "auto = clusters' brokers are Kafka where it is (KAFKA_HOME, or `sandbox install kafka`); off = plain listeners; or a folder of Kafka's",
      kind: "text",
      default: "auto",
      placeholder: "kafka",
    },
    {
      name: "set",
      brief: "Override one setting of the profile; may be given several times",
      kind: "text",
      repeated: true,
      placeholder: "name=value",
    },
  ],
  run: serve,
};
