/**
 * A sandbox for tests: on a free port of the loopback, in memory unless told otherwise, on a clock the test
 * drives. Promises that nothing outlives `close`. Signatures are not judged by their time unless a test asks
 * for it: clients sign with the machine's clock, which a driven one leaves behind.
 */
import { EC2Client } from "@aws-sdk/client-ec2";
import type { Places } from "./brokers/software.ts";
import type { DataPlane, DataPlaneOptions } from "./dataplane/dataPlane.ts";
import { createSandbox } from "./server.ts";
import { type ProfileName, type Settings, settings } from "./settings.ts";
import type { Clock } from "./world.ts";

/** A clock that stands still until it is moved; sleepers wake when it passes their time. */
export class DrivenClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Epoch milliseconds. */
  set(now: number): void {
    this.#now = now;
    for (const sleeper of [...this.#sleepers]) if (sleeper.until <= now) sleeper.wake();
  }

  advance(ms: number): void {
    this.set(this.#now + ms);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper = { until: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      if (ms <= 0 || signal?.aborted) wake();
      else signal?.addEventListener("abort", wake);
    });
  }
}

export interface SandboxOverrides {
  /** `quick` unless given. */
  readonly profile?: ProfileName;
  readonly settings?: Partial<Settings>;
  readonly dataDir?: string;
  readonly clock?: DrivenClock;
  readonly log?: (line: string) => void;
  /** Packets obey the state, where this machine allows it: see `dataPlane`. */
  readonly packets?: boolean;
  /** Brokers are Kafka, if it is there. */
  readonly kafka?: Places;
  readonly programs?: DataPlaneOptions["programs"];
}

export interface OwnAnswer {
  readonly status: number;
  /** Of the shape that the test expects; undefined when there is no body. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
}

interface Closable {
  destroy(): void;
}

interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly maxAttempts: number;
}

export interface TestSandbox {
  readonly url: string;
  readonly clock: DrivenClock;
  /** undefined when no packets were asked for. */
  readonly dataPlane: DataPlane | undefined;
  /** A client of that account (12 digits) in that region; closed with the sandbox. */
  client(account: string, region: string): EC2Client;
  /** A client of another service: `of(KafkaClient, account, region)`; closed with the sandbox. */
  of<C extends Closable>(Client: new (config: ClientConfig) => C, account: string, region: string): C;
  /** One of the sandbox's own requests: `own("POST faults", {...})`. */
  own(what: string, body?: object): Promise<OwnAnswer>;
  close(): Promise<void>;
}

export async function startSandbox(overrides: SandboxOverrides = {}): Promise<TestSandbox> {
  const { profile = "quick", clock = new DrivenClock(), dataDir, log, packets = false } = overrides;
  const { kafka, programs } = overrides;
  const sandbox = await createSandbox({
    clock,
    dataDir,
    log,
    packets,
    kafka,
    programs,
    settings: settings(profile, { signatureSkewMs: Number.MAX_SAFE_INTEGER, ...overrides.settings }),
  });
  const { url } = await sandbox.listen(0);
  const clients: Closable[] = [];
  const of: TestSandbox["of"] = (Client, account, region) => {
    const credentials = { accessKeyId: account, secretAccessKey: "test" };
    const client = new Client({ endpoint: url, region, credentials, maxAttempts: 1 });
    clients.push(client);
    return client;
  };
  return {
    url,
    clock,
    dataPlane: sandbox.dataPlane,
    of,
    client: (account, region) => of(EC2Client, account, region),
    async own(what, body) {
      const [method = "", path = ""] = what.split(" ");
      const init = body ? { method, body: JSON.stringify(body) } : { method };
      const response = await fetch(`${url}/_sandbox/${path}`, init);
      const text = await response.text();
      return { status: response.status, value: text === "" ? undefined : JSON.parse(text) };
    },
    async close() {
      for (const client of clients) client.destroy();
      await sandbox.close();
    },
  };
}
