/**
 * `letsdata sandbox serve` with packets, as a process in a session of its own, with a data folder it can be started
 * in again. Promises that it is killed by its own id, and that every flow it is asked about is a real one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { EC2Client } from "@aws-sdk/client-ec2";
import { AT_ONCE, WAIT_MS } from "./packetNetwork.ts";
import { pingCommand, succeeds } from "./probes.ts";

const BINARY = join(import.meta.dirname, "../../bin/letsdata");

export interface ServedHost {
  readonly id: string;
  readonly kind: string;
  readonly vpcId: string | null;
  readonly addresses: readonly { readonly privateIp: string }[];
}

interface Start {
  /** In memory without it. */
  readonly dataDir?: string;
  /** A command that becomes what follows it, such as `prlimit --fsize=0`. */
  readonly under?: readonly string[];
}

export class ServedSandbox {
  readonly url: string;
  /** Its process id, and that of its session. */
  readonly session: number;
  readonly client: EC2Client;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;

  private constructor(child: ChildProcess, gone: Promise<void>, url: string) {
    this.#child = child;
    this.#gone = gone;
    this.url = url;
    this.session = child.pid ?? 0;
    const credentials = { accessKeyId: "111111111111", secretAccessKey: "test" };
    this.client = new EC2Client({ endpoint: url, region: "us-east-1", credentials, maxAttempts: 1 });
  }

  /** Rejects with what it wrote when it ends before it answers. */
  static async start({ dataDir, under = [] }: Start): Promise<ServedSandbox> {
    const set = Object.entries(AT_ONCE).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
    const folder = dataDir === undefined ? [] : ["--dataDir", dataDir];
    const [command = "", ...argv] = [...under, BINARY, "sandbox", "serve", "--port", "0", ...folder, ...set];
    const child = spawn(command, argv, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
    return new ServedSandbox(child, gone, await readyUrl(child));
  }

  /** SIGKILL, now; resolves when the process itself is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    this.client.destroy();
    await this.#gone;
  }

  /** One of the sandbox's own requests. */
  async own(what: string): Promise<Readonly<Record<string, unknown>>> {
    const [method = "", path = ""] = what.split(" ");
    const response = await fetch(`${this.url}/_sandbox/${path}`, { method });
    const text = await response.text();
    if (!response.ok) throw new Error(`${what}: ${response.status} ${text}`);
    return text === "" ? {} : JSON.parse(text);
  }

  /** Why there are no packets here; false when there are. */
  async off(): Promise<string | false> {
    const { status, why } = await this.own("GET dataplane");
    return status === "on" ? false : `there are no packets here: ${why}`;
  }

  /** The instances whose packets flow: what is applied obeys every change made before. */
  async hosts(): Promise<readonly ServedHost[]> {
    const { hosts } = (await this.own("GET hosts")) as { hosts: readonly ServedHost[] };
    return hosts.filter(({ kind }) => kind === "instance");
  }

  /** Whether a ping from that host is answered. */
  async pings(host: string, address: string): Promise<boolean> {
    const { argv } = (await this.own(`GET hosts/${host}`)) as { argv: readonly string[] };
    return succeeds([...argv, ...pingCommand(address, WAIT_MS.comes)]);
  }
}

function readyUrl(child: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => reject(new Error(`the sandbox ended: ${said}`)));
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => {
        said += chunk;
        const url = /^ready (\S+)$/m.exec(said)?.[1];
        if (url !== undefined) resolve(url);
      });
  });
}
