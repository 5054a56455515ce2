/**
 * `letsdata sandbox forward`: a service inside of a VPC on a port of this machine, until it is told to stop. The
 * listening socket is made here and handed to a process inside (forwarder.ts), which takes the connections.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { type AddressInfo, createServer, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { CommandError } from "../errors.ts";
import { type CommandContext, SANDBOX_URL, type SandboxCommand } from "./command.ts";
import { enteredHost, insideEnv } from "./inside.ts";
import type { EnteredHost } from "./sandboxClient.ts";

interface ForwardOptions {
  readonly service: string;
  readonly listen?: string;
  readonly from?: string;
  readonly sandboxUrl?: string;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

async function forward(context: CommandContext, options: ForwardOptions): Promise<number> {
  const service = endpoint("the service", options.service);
  const near = listenAddress(options.listen ?? "0");
  const { inside, address } = await placeOf(context, service, options);
  const server = await listening(near);
  const child = forwarder(context, inside, [address, String(service.port)]);
  const ended = endOf(child);
  try {
    const { address: here, port } = server.address() as AddressInfo;
    await handOver(child, server, ended);
    context.print(
      `ready ${text({ host: here, port })} -> ${text({ host: address, port: service.port })} from ${inside.id}`,
    );
    child.on("message", ({ code }: { code: string }) => context.log(`connection refused inside: ${code}`));
    return await untilStopped(context, child, ended);
  } finally {
    server.close();
    if (child.connected) child.disconnect();
  }
}

interface Place {
  readonly inside: EnteredHost;
  /** Where the service is as seen from there. */
  readonly address: string;
}

/** Inside of the host that has the address, or of the one that was given; a name is looked up there. */
async function placeOf(context: CommandContext, { host }: Endpoint, options: ForwardOptions): Promise<Place> {
  const url = context.sandboxUrl(options.sandboxUrl);
  if (options.from !== undefined) {
    const inside = await enteredHost(url, options.from);
    const isHostName = /^(i-|nat-|eni-|vpc-|internet$)/.test(host);
    const meant = isHostName ? (await enteredHost(url, host)).address : host;
    return { inside, address: meant ?? LOCALHOST };
  }
  const inside = await enteredHost(url, host);
  return { inside, address: inside.address ?? LOCALHOST };
}

const LOCALHOST = "127.0.0.1";

function listenAddress(given: string): Endpoint {
  return /^\d+$/.test(given)
    ? { host: LOCALHOST, port: portOf("--listen", given) }
    : endpoint("--listen", given);
}

function endpoint(what: string, given: string): Endpoint {
  const [, host = "", port = ""] = /^(.+):([^:]+)$/.exec(given) ?? [];
  if (!host) throw new CommandError("invalid", `${what} is "${given}"`, "Write it as ADDRESS:PORT.");
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: portOf(what, port) };
}

function portOf(what: string, given: string): number {
  const port = Number(given);
  if (/^\d{1,5}$/.test(given) && port <= 65_535) return port;
  throw new CommandError("invalid", `the port of ${what} is "${given}", but a port is a number up to 65535`);
}

const text = ({ host, port }: Endpoint) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

function listening({ host, port }: Endpoint): Promise<Server> {
  // Until the process inside has taken over, nobody could answer.
  const server = createServer((early) => early.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new CommandError(
          "conflict",
          `cannot listen on ${text({ host, port })}: ${error.code}`,
          "Choose another with --listen; port 0 takes a free one.",
        ),
      ),
    );
    server.listen(port, host, () => resolve(server));
  });
}

const FORWARDER = fileURLToPath(new URL("../dataplane/forwarder.ts", import.meta.url));

function forwarder(context: CommandContext, { argv }: EnteredHost, args: readonly string[]): ChildProcess {
  const [program = "", ...rest] = argv;
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", FORWARDER];
  return spawn(program, [...rest, ...node, ...args], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: insideEnv(context.env),
  });
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
}

/** From then on only the process inside takes connections. Rejects when it ends before it is ready. */
async function handOver(child: ChildProcess, server: Server, ended: Promise<void>): Promise<void> {
  const ready = new Promise<void>((resolve) => void child.once("message", () => resolve()));
  child.send("serve", server, () => {});
  const isReady = await Promise.race([ready.then(() => true), ended.then(() => false)]);
  server.close();
  if (!isReady) throw new CommandError("unavailable", "the host cannot be entered; the line above says why");
}

/** Resolves to the exit code: 0 when it was told to stop, and an error when the host went away. */
async function untilStopped(
  { signal }: CommandContext,
  child: ChildProcess,
  ended: Promise<void>,
): Promise<number> {
  const told = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([told, ended]);
  if (!signal.aborted)
    throw new CommandError("unavailable", "the host is gone, and with it the way to the service");
  child.disconnect();
  await ended;
  return 0;
}

export const forwardCommand: SandboxCommand<ForwardOptions> = {
  name: "forward",
  brief: "Make a service inside of a VPC reachable on this machine",
  description:
    "Listens on this machine and passes each connection to a service inside of the sandbox, until it is stopped. Prints one line, ready and both addresses, once it listens. Without --from it connects from the very host that has the address, so that no rule is asked: this is how you reach your service. With --from it connects from another host, and that host's security groups, routes and network ACLs apply; the service may then also be a name that is resolved there, or an address outside.",
  examples: [
    { what: "A broker on a free port", command: "letsdata sandbox forward 10.2.0.4:9092" },
    {
      what: "On a port of your choice",
      command: "letsdata sandbox forward i-0123456789abcdef0:80 --listen 8080",
    },
    {
      what: "As the customer's instance reaches it",
      command: "letsdata sandbox forward 10.2.0.4:9092 --from 172.20.0.10",
    },
  ],
  options: [
    {
      name: "listen",
      brief: "Where to listen: [ADDRESS:]PORT; port 0 = any free one",
      kind: "text",
      default: "127.0.0.1:0",
      placeholder: "address",
    },
    { name: "from", brief: "Host to connect from, with its rules", kind: "text", placeholder: "host" },
    SANDBOX_URL,
  ],
  words: [
    {
      name: "service",
      placeholder: "ADDRESS:PORT",
      brief: "The service: any name of a host, and the port",
    },
  ],
  run: forward,
};
