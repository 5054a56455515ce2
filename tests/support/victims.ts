/**
 * Control planes that are processes of their own and are killed with SIGKILL, beside a sandbox process and data
 * that live on. Promises that only what was started here is killed, by its own id, and that nothing of it
 * stays after `close`.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateVpcCommand, CreateVpcPeeringConnectionCommand, EC2Client } from "@aws-sdk/client-ec2";
import { type ApiClient, apiClient } from "../../src/contract/client.ts";
import { asFailure } from "../../src/domain/failure.ts";
import { CUSTOMER } from "./house.ts";
import { type Running, run, type Serving, serving } from "./letsdata.ts";
import { present } from "./networks.ts";

export interface VictimsOptions {
  /** How many control planes run side by side. */
  readonly planes: number;
  /** Without it each has an embedded database in its folder. */
  readonly databaseUrl?: string;
}

/** Fails when it has been asked in vain for so long, milliseconds: long enough for a busy machine. */
const PATIENCE_MS = 240_000;
const AGAIN_MS = 200;

export class Victims {
  readonly #home: string;
  readonly #options: VictimsOptions;
  readonly #sandbox: Running;
  readonly #clients: EC2Client[] = [];
  readonly #planes: (Serving | null)[];
  readonly sandboxUrl: string;

  private constructor(home: string, options: VictimsOptions, sandbox: Running, sandboxUrl: string) {
    this.#home = home;
    this.#options = options;
    this.#sandbox = sandbox;
    this.sandboxUrl = sandboxUrl;
    this.#planes = Array.from({ length: options.planes }, () => null);
  }

  static async open(options: VictimsOptions): Promise<Victims> {
    const home = mkdtempSync(join(tmpdir(), "letsdata-kill-"));
    const args = ["--port", "0", "--dataDir", join(home, "sandbox"), "--set", "unseenMsMax=1500"];
    const sandbox = run(home, ["sandbox", "serve", ...args]);
    const victims = new Victims(home, options, sandbox, await readyUrl(sandbox));
    await victims.startAll();
    return victims;
  }

  /** Starts those that are not running. */
  async startAll(): Promise<void> {
    for (const index of this.#planes.keys()) this.#planes[index] ??= await this.#start(index);
  }

  #start(index: number): Promise<Serving> {
    const cwd = join(this.#home, `plane${index}`);
    mkdirSync(cwd, { recursive: true });
    const args = ["--sandboxUrl", this.sandboxUrl, "--consistencySeconds", "8", "--resyncSeconds", "5"];
    return serving(cwd, args, this.#options.databaseUrl);
  }

  /** SIGKILL, now; resolves when the process is gone. */
  async kill(index: number): Promise<void> {
    const plane = this.#planes[index];
    if (!plane) throw new Error("it is dead already");
    plane.child.kill("SIGKILL");
    this.#planes[index] = null;
    await plane.ended;
  }

  /** A client of one that lives. */
  get api(): ApiClient {
    const plane = this.#planes.find((one) => one !== null);
    if (!plane) throw new Error("none lives");
    return apiClient({ url: plane.url, apiKey: plane.operatorKey });
  }

  readonly ec2 = (account: string, region = "us-east-1"): EC2Client => {
    const credentials = { accessKeyId: account, secretAccessKey: "test" };
    const client = new EC2Client({ endpoint: this.sandboxUrl, region, credentials });
    this.#clients.push(client);
    return client;
  };

  async until(what: string, ask: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await ask())) {
      if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
      await sleep(AGAIN_MS);
    }
  }

  /** Asks whoever lives until the wish stands; an answer that was lost may have been a yes. */
  insist(what: string, wish: (api: ApiClient) => Promise<unknown>): Promise<void> {
    return this.until(what, async () => {
      try {
        await wish(this.api);
        return true;
      } catch (thrown) {
        const { code } = asFailure(thrown);
        if (code === "conflict" || code === "notFound") return true;
        if (code === "unavailable") return false;
        throw thrown;
      }
    });
  }

  /** The customer asks for a peering from a VPC of theirs; the connection's id. */
  async request(to: string, accountId: string, CidrBlock: string): Promise<string> {
    const customer = this.ec2(CUSTOMER);
    const VpcId = present((await customer.send(new CreateVpcCommand({ CidrBlock }))).Vpc?.VpcId);
    let id = "";
    // A VPC just made is unknown for a while.
    await this.until("the request to peer", async () => {
      const wish = { VpcId, PeerVpcId: to, PeerOwnerId: accountId };
      const made = await customer.send(new CreateVpcPeeringConnectionCommand(wish)).catch((error: Error) => {
        if (error.name !== "InvalidVpcID.NotFound") throw error;
      });
      id = made?.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
      return id !== "";
    });
    return id;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    for (const [index, plane] of this.#planes.entries()) if (plane) await this.kill(index);
    this.#sandbox.child.kill("SIGTERM");
    await this.#sandbox.ended;
    rmSync(this.#home, { recursive: true, force: true });
  }
}

async function readyUrl({ output, ended }: Running): Promise<string> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (;;) {
    const url = /^ready (\S+)$/m.exec(output().stdout)?.[1];
    if (url !== undefined) return url;
    if (over) throw new Error(`the sandbox ended:\n${output().stderr}`);
    await sleep(20);
  }
}

/** Numbers in [0, 1) that the seed decides: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
