/**
 * The tables as Kysely sees them, in camelCase, and the few things every noun of this room needs: the
 * database or transaction it works in, and JSON on its way in. Promises that a block read from the database
 * is canonical, because the type `cidr` is. Refuses nothing: the constraints stand in `migrations/`.
 */
import { type Generated, type Kysely, type RawBuilder, sql } from "kysely";
import type { Cidr } from "../domain/cidr.ts";
import type {
  Clock,
  Condition,
  Dataset,
  DatasetStatus,
  Layout,
  Network,
  PeeringWant,
  RangeState,
  Region,
  Role,
  VpcSize,
  WriteConnector,
} from "../domain/model.ts";
import type { ProbeResult, ProbeState, ProbeWish } from "../domain/probe.ts";
import type { SweepReport, SweepState } from "../domain/sweep.ts";
import type { World } from "../domain/world.ts";

export interface Tables {
  migration: { number: number; name: string; sha256: string; appliedAt: number };
  setting: {
    one: Generated<boolean>;
    installation: string;
    excludedCidrs: readonly Cidr[];
    excludedZoneIds: readonly string[];
    quarantineSeconds: number;
    defaultRangeLimit: number;
  };
  pool: { cidr: Cidr };
  slot: { cidr: Cidr; lo: Generated<number>; taken: Generated<boolean> };
  tenant: {
    id: string;
    name: string;
    rangeLimit: number;
    avoidCidrs: readonly Cidr[];
    createdAt: number;
    deletedAt: number | null;
  };
  apiKey: {
    id: string;
    tenantId: string | null;
    name: string;
    role: Role;
    hash: string;
    prefix: string;
    createdAt: number;
    revokedAt: number | null;
  };
  dataset: {
    id: string;
    tenantId: string;
    name: string;
    region: Region;
    customerAccount: string;
    writeConnector: WriteConnector;
    functionArns: readonly string[];
    configuration: Dataset["configuration"];
    status: DatasetStatus;
    createdAt: number;
    deleteAskedAt: number | null;
    deletedAt: number | null;
  };
  tenantRange: { cidr: Cidr; tenantId: string; createdAt: number };
  datasetRange: {
    cidr: Cidr;
    tenantId: string;
    tenantRange: Cidr;
    datasetId: string;
    state: RangeState;
    freeAt: number | null;
  };
  cell: { id: string; account: string; roleArn: string | null; region: Region };
  network: {
    id: string;
    tenantId: string;
    datasetId: string;
    cellId: string;
    size: VpcSize;
    cidr: Cidr;
    want: Network["want"];
    absentAskedAt: number | null;
    probeRoleArn: string | null;
    layout: Layout | null;
    readyAt: number | null;
    createdAt: number;
    goneAt: number | null;
  };
  peeringWish: {
    networkId: string;
    connectionId: string;
    want: PeeringWant;
    reason: string | null;
    askedAt: number;
    establishedAt: number | null;
    endedAt: number | null;
    endedBy: string | null;
  };
  networkStatus: {
    networkId: string;
    conditions: readonly Condition[];
    world: World | null;
    observedAt: number | null;
  };
  attempt: {
    networkId: string;
    cellId: string;
    key: string;
    attempt: number;
    resourceId: string | null;
    at: number;
    closedAt: number | null;
  };
  reconcile: {
    networkId: string;
    cellId: string;
    gen: Generated<number>;
    claimedGen: Generated<number>;
    dueAt: number | null;
    leaseUntil: number | null;
    token: Generated<number>;
    failures: Generated<number>;
    lastError: string | null;
    freshAfter: Generated<number>;
  };
  process: {
    id: string;
    seenAt: number;
  };
  quotaReservation: {
    cellId: string;
    quota: string;
    networkId: string;
    holder: string;
    amount: number;
  };
  sweep: {
    seq: Generated<number>;
    id: string;
    fix: boolean;
    askedBy: string | null;
    askedAt: number;
    startedAt: number | null;
    endedAt: number | null;
    state: SweepState;
    error: string | null;
    report: SweepReport | null;
  };
  sweepLease: { one: Generated<boolean>; token: number; leaseUntil: number };
  probe: {
    seq: Generated<number>;
    id: string;
    networkId: string;
    wish: ProbeWish;
    askedBy: string;
    askedAt: number;
    startedAt: number | null;
    endedAt: number | null;
    state: ProbeState;
    note: string | null;
    hint: string | null;
    result: ProbeResult | null;
    token: Generated<number>;
    leaseUntil: Generated<number>;
  };
  audit: {
    seq: Generated<number>;
    id: string;
    at: number;
    tenantId: string | null;
    keyId: string;
    keyName: string;
    action: string;
    subject: string;
    detail: Readonly<Record<string, unknown>>;
  };
  answer: {
    scope: string;
    operation: string;
    key: string;
    requestHash: string;
    status: number;
    body: unknown;
    at: number;
  };
}

/** The database, or one transaction in it. Inside a transaction only the transaction may be used. */
export type Db = Kysely<Tables>;

/** Where a noun works, and what time it is there. */
export interface Session {
  readonly db: Db;
  readonly clock: Clock;
}

/**
 * A value for a json or jsonb column. Written as text, because the drivers disagree on what a JavaScript
 * array means.
 */
export function json<T>(value: T): RawBuilder<T> {
  return sql<T>`${JSON.stringify(value ?? null)}`;
}
