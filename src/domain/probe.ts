/**
 * The words of a probe: what is to be connected to from inside a network, what its function found at each stage, and
 * what that means. Types, closed lists and the one rule of ports. Moments are epoch milliseconds.
 */

export const PROBE_PROTOCOLS = ["tcp", "tls", "kafka"] as const;
export type ProbeProtocol = (typeof PROBE_PROTOCOLS)[number];

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
}

export interface ProbeWish extends ProbeTarget {
  readonly protocol: ProbeProtocol;
  /** Whether TLS is spoken. */
  readonly tls: boolean;
  /** Authorities to trust instead of the public ones, as PEM. */
  readonly ca: string | null;
  /** How long one stage may take. */
  readonly stageMs: number;
}

/** MSK's, inside and public: https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html */
const TLS_PORTS: ReadonlySet<number> = new Set([9094, 9096, 9098, 9194, 9196, 9198]);

/** Kafka has no port of its own for TLS, but its managed clusters have. */
export function speaksTls(protocol: ProbeProtocol, port: number): boolean {
  return protocol === "tls" || (protocol === "kafka" && TLS_PORTS.has(port));
}

export type FoundStageName = "resolve" | "connect" | "tls" | "apiVersions" | "metadata";

/** What the function saw at one stage; the first that failed is the last. */
export interface FoundStage {
  readonly stage: FoundStageName;
  readonly outcome: "ok" | "failed";
  readonly ms: number;
  /** What went wrong, in one word; null when nothing did. */
  readonly code: string | null;
  readonly detail: string;
}

export interface FoundCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** What it is for; empty for an authority's. */
  readonly names: string;
  readonly validFrom: string;
  readonly validTo: string;
}

export interface FoundTls {
  readonly protocol: string;
  readonly cipher: string;
  /** Why it is not trusted, in one word. */
  readonly error: string | null;
  /** The server's first, then whoever vouches for it. */
  readonly certificates: readonly FoundCertificate[];
}

export interface FoundKafka {
  /** How many kinds of requests it understands. */
  readonly requests: number;
  /** Of the request to read records, such as `4-17`. */
  readonly fetchVersions: string;
  /** By which it wants clients to authenticate; empty where it does not. */
  readonly mechanisms: readonly string[];
  readonly clusterId: string | null;
  readonly controllerId: number | null;
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[];
}

/** What the function answers. */
export interface ProbeFindings {
  readonly stages: readonly FoundStage[];
  /** What the name resolves to. */
  readonly addresses: readonly string[];
  readonly tls: FoundTls | null;
  readonly kafka: FoundKafka | null;
}

export const PROBE_STAGES = ["resolve", "route", "connect", "tls", "apiVersions", "metadata"] as const;

export interface ProbeStage {
  readonly stage: (typeof PROBE_STAGES)[number];
  /** `skipped`: nothing can be said without credentials. */
  readonly outcome: "ok" | "failed" | "skipped";
  /** Null for what was judged and not tried. */
  readonly ms: number | null;
  readonly detail: string;
}

export const PROBE_VERDICTS = [
  "reachable",
  "noName",
  "noRoute",
  "refused",
  "filtered",
  "tlsFailure",
  "notKafka",
] as const;
export type ProbeVerdict = (typeof PROBE_VERDICTS)[number];

export interface ProbeResult {
  readonly verdict: ProbeVerdict;
  /** One sentence. */
  readonly summary: string;
  readonly nextStep: string | null;
  readonly stages: readonly ProbeStage[];
  readonly addresses: readonly string[];
  readonly tls: FoundTls | null;
  readonly kafka: FoundKafka | null;
}

export const PROBE_STATES = ["waiting", "running", "done", "failed"] as const;
export type ProbeState = (typeof PROBE_STATES)[number];

/** `done`: it was tried, whatever came of it. `failed`: it could not be tried. */
export interface Probe {
  readonly id: string;
  readonly networkId: string;
  readonly wish: ProbeWish;
  /** Name of the key that asked. */
  readonly askedBy: string;
  readonly askedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly state: ProbeState;
  /** What it waits for, or why it failed. */
  readonly note: string | null;
  readonly hint: string | null;
  readonly result: ProbeResult | null;
}
