/**
 * The memory: what we wish, what we saw, what we tried. This file is its whole surface; `openStore`
 * (database.ts) makes one over the embedded database or PostgreSQL. Promises: an answered change is on the
 * disk; a tenant's things are reached only through `tenant(id)`; a write for a network is refused unless its
 * lease still holds. SQL and snake_case live in this room only. All moments are epoch milliseconds of the
 * clock that was handed in, never the database's own.
 */
import type { Cidr } from "../domain/cidr.ts";
import type {
  ApiKey,
  AuditRecord,
  Cell,
  Condition,
  Dataset,
  DatasetRange,
  DatasetStatus,
  Layout,
  Network,
  Page,
  PageRequest,
  PeeringWish,
  Region,
  Settings,
  Tenant,
  TenantRange,
} from "../domain/model.ts";
import type { Probe, ProbeResult, ProbeWish } from "../domain/probe.ts";
import type { DatasetTrace, Sweep, SweepReport } from "../domain/sweep.ts";
import type { Attempt, World } from "../domain/world.ts";

/** What the last pass over a network left behind. */
export interface NetworkStatus {
  readonly networkId: string;
  readonly conditions: readonly Condition[];
  readonly world: World | null;
  /** When the observation behind `world` began; null before the first. */
  readonly observedAt: number | null;
}

/** The part that belongs to one tenant; every method sees that tenant's rows alone. */
export interface TenantScope {
  keys(page: PageRequest): Promise<Page<ApiKey>>;
  key(id: string): Promise<ApiKey | null>;
  /** Without deleted ones, by name. */
  datasets(page: PageRequest): Promise<Page<Dataset>>;
  /** The living dataset of that name, else the one of that name deleted last. */
  dataset(name: string): Promise<Dataset | null>;
  /** Also when it is gone, as is `status`: for `view`. */
  network(datasetId: string): Promise<Network | null>;
  status(datasetId: string): Promise<NetworkStatus | null>;
  probe(datasetId: string, id: string): Promise<Probe | null>;
  ranges(): Promise<readonly TenantRange[]>;
  /** Used and quarantined ones, lowest address first. */
  datasetRanges(): Promise<readonly DatasetRange[]>;
  audit(page: PageRequest): Promise<Page<AuditRecord>>;
}

/** Reads over the whole installation: for the operator, for key checks, for the allocator. */
export interface Reads {
  settings(): Promise<Settings>;
  tenants(page: PageRequest): Promise<Page<Tenant>>;
  tenantByName(name: string): Promise<Tenant | null>;
  tenantById(id: string): Promise<Tenant | null>;
  /** `hash` is the SHA-256 of the key in hex; revoked keys are returned too. */
  keyByHash(hash: string): Promise<ApiKey | null>;
  /** Oldest first, revoked ones too, as `TenantScope.keys`. */
  operatorKeys(page: PageRequest): Promise<Page<ApiKey>>;
  /** Newest first. */
  audit(page: PageRequest): Promise<Page<AuditRecord>>;
  allTenantRanges(page: PageRequest): Promise<Page<TenantRange>>;
  tenant(id: string): TenantScope;
}

/** What the allocator asks for when a tenant needs a further /21. */
export interface SlotRequest {
  /** Blocks that may not be used; a slot wholly inside one is not offered. */
  readonly closed: readonly Cidr[];
  readonly limit: number;
  /** Offer those nearest to this block first; without it the lowest first. */
  readonly near?: Cidr;
}

export interface NewDataset {
  readonly tenantId: string;
  readonly name: string;
  readonly region: Region;
  readonly customerAccountForAccess: string;
  readonly writeConnector: Dataset["writeConnector"];
  readonly functionArns: readonly string[];
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly status: DatasetStatus;
}

export interface RememberedAnswer {
  readonly requestHash: string;
  readonly status: number;
  readonly body: unknown;
}

/** One transaction. Everything read through it is read inside it. */
export interface Tx extends Reads {
  /** Holds the tenant's row until the end, so that allocations of one tenant come one after another. */
  lockTenant(id: string): Promise<Tenant | null>;
  insertTenant(tenant: { name: string; rangeLimit: number; avoidCidrs: readonly Cidr[] }): Promise<Tenant>;
  updateTenant(id: string, change: { rangeLimit?: number; avoidCidrs?: readonly Cidr[] }): Promise<Tenant>;
  /** Revokes its keys and gives its ranges back. Fails with `conflict` while it has datasets or resting ranges. */
  deleteTenant(id: string): Promise<void>;
  insertKey(key: {
    tenantId: string | null;
    name: string;
    role: ApiKey["role"];
    hash: string;
    prefix: string;
  }): Promise<ApiKey>;
  /** Null when there is none in that scope (`null` = operator's keys). */
  revokeKey(tenantId: string | null, id: string): Promise<ApiKey | null>;
  updateSettings(change: Partial<Omit<Settings, "installation">>): Promise<Settings>;

  /** Fails with `conflict` when a living dataset of the tenant has that name. */
  insertDataset(dataset: NewDataset): Promise<Dataset>;
  setDatasetStatus(datasetId: string, status: DatasetStatus): Promise<void>;
  /** Marks the dataset DELETING (or DELETED when it has no network) and its network `absent`. */
  askDelete(datasetId: string): Promise<Dataset>;
  /** The dataset INACTIVE and its network `absent`; nothing else of the dataset changes. */
  askConnectorDelete(datasetId: string): Promise<Dataset>;
  /** What is asked for again: the dataset CREATING. */
  askConnector(datasetId: string): Promise<Dataset>;
  updateConnector(datasetId: string, connector: Dataset["writeConnector"]): Promise<Dataset>;
  /** What was made under this key is not wanted any more: its open attempts are closed. */
  giveUp(networkId: string, key: string): Promise<void>;
  /** Takes back the block that rests since this dataset's network went; null when none does. */
  restoreRange(datasetId: string): Promise<DatasetRange | null>;

  /** Free /21 slots of the address space, locked for this transaction. */
  freeSlots(request: SlotRequest): Promise<readonly Cidr[]>;
  /** Who holds any part of this block: the tenant range it lies in or around, whoever's. */
  holderOf(block: Cidr): Promise<TenantRange | null>;
  insertTenantRange(tenantId: string, cidr: Cidr): Promise<TenantRange>;
  insertDatasetRange(range: {
    tenantId: string;
    datasetId: string;
    tenantRange: Cidr;
    cidr: Cidr;
  }): Promise<DatasetRange>;
  /** Ends the rest of a quarantined block now; null when no such block rests in that tenant. */
  endQuarantine(tenantId: string, cidr: Cidr): Promise<DatasetRange | null>;

  cellFor(cell: { account: string; roleArn: string | null; region: Region }): Promise<Cell>;
  insertNetwork(network: {
    tenantId: string;
    datasetId: string;
    cell: Cell;
    size: Network["size"];
    cidr: Cidr;
  }): Promise<Network>;
  savePeering(networkId: string, wish: PeeringWish): Promise<void>;

  /**
   * Makes the network due now, in this transaction; wakes reconcilers after the commit. `fresh` asks for a
   * whole new look at the cloud.
   */
  wake(networkId: string, fresh?: "fresh"): Promise<void>;
  writeAudit(record: Omit<AuditRecord, "id" | "at">): Promise<void>;
  /** Asks for a sweep and wakes the sweepers; answers one that waits already when it does the same. */
  askSweep(wish: { fix: boolean; askedBy: string }): Promise<Sweep>;
  /** How many probes of that network have not ended. */
  openProbes(networkId: string): Promise<number>;
  /** Asks for a probe from inside that network, by a function with that role; wakes the probers. */
  askProbe(asked: { networkId: string; roleArn: string; wish: ProbeWish; askedBy: string }): Promise<Probe>;

  /**
   * The answer given to this key within the last 24 hours, if any. Keys are per tenant (or operator) and
   * operation; a second request with the same key waits here until the first has ended.
   */
  answerFor(scope: string, operation: string, key: string): Promise<RememberedAnswer | null>;
  rememberAnswer(scope: string, operation: string, key: string, answer: RememberedAnswer): Promise<void>;
}

/** The right to write for one network until `until`; `token` grows with every claim. */
export interface Lease {
  readonly networkId: string;
  readonly token: number;
  readonly until: number;
  /** Passes in a row that failed. */
  readonly failures: number;
  /** Somebody wants nothing that was seen before this moment. */
  readonly freshAfter: number;
}

/** One AWS quota of a cell, as a network or a peering that is about to be made meets it. */
export interface QuotaLine {
  /** Our name of it, such as `elasticIps`. */
  readonly quota: string;
  readonly needed: number;
  readonly limit: number;
  /** What the cloud counts. */
  readonly used: number;
  /** How much of that is whose, by the holder, from the same look. */
  readonly usedBy: ReadonlyMap<string, number>;
}

export interface QuotaShort extends QuotaLine {
  /** What others are about to take. */
  readonly reserved: number;
  readonly missing: number;
}

export interface Work {
  /** Claims due networks whose lease is free. */
  claim(limit: number, leaseMs: number): Promise<readonly Lease[]>;
  /** False when the lease was lost; the holder must stop. */
  renew(lease: Lease, leaseMs: number): Promise<boolean>;
  /** Gives the lease back; due again in `dueInMs`, at once when it was woken meanwhile; null = only when woken. */
  finish(lease: Lease, dueInMs: number | null): Promise<void>;
  /** As `finish`, counting a failed pass. */
  fail(lease: Lease, dueInMs: number, message: string): Promise<void>;
  /** Milliseconds until the next network is due; 0 = now, null = none. */
  nextDueMs(): Promise<number | null>;
  /** Says that this process lives; answers how many do, itself included. */
  heartbeat(processId: string): Promise<number>;
  farewell(processId: string): Promise<void>;
}

/** What a pass writes; each refuses with `conflict` when the lease no longer holds. */
export interface PassWrites {
  saveStatus(status: Omit<NetworkStatus, "networkId">): Promise<void>;
  saveLayout(layout: Layout): Promise<void>;
  savePeering(wish: PeeringWish): Promise<void>;
  /** Everything is there; `readyAt` keeps the first time. Sets a dataset that is CREATING or ERROR to ACTIVE. */
  markReady(): Promise<void>;
  /** Changes nothing on a dataset that is DELETING or DELETED already. */
  setDatasetStatus(status: DatasetStatus): Promise<void>;
  /**
   * Nothing is left: dataset DELETED (an INACTIVE one stays), range into quarantine, journal and queue rows gone, in
   * one transaction.
   */
  markGone(): Promise<void>;
  /**
   * Takes these amounts of the cell's quotas for the holder, in place of what it had, all or none; what is short
   * otherwise. The network's own holder is its dataset's id, a peering's is the connection's.
   */
  reserveQuotas(holder: string, lines: readonly QuotaLine[]): Promise<readonly QuotaShort[]>;
  /** Writes the attempt down before the call; again for a repeated call of an attempt without an answer. */
  beginAttempt(key: string, attempt: number): Promise<void>;
  recordAttempt(key: string, attempt: number, resourceId: string): Promise<void>;
  /** The cloud refused, or we deleted it. */
  closeAttempt(key: string, attempt: number): Promise<void>;
}

/** The right to sweep until `until`; `token` grows with every claim. */
export interface SweepLease {
  readonly sweep: Sweep;
  readonly token: number;
  readonly until: number;
}

export interface SweepResult {
  readonly state: "running" | "done" | "failed";
  readonly error: string | null;
  readonly report: SweepReport | null;
}

export interface Sweeps {
  /** The one that was asked for last; null before the first. */
  last(): Promise<Sweep | null>;
  byId(id: string): Promise<Sweep | null>;
  /** Milliseconds until there is something to claim, when one is due every so many of them; 0 = now. */
  dueInMs(everyMs: number): Promise<number>;
  /** Null when nothing is to do, or another process does it. */
  claim(leaseMs: number, everyMs: number): Promise<SweepLease | null>;
  /** False when the lease was lost; the holder must stop. */
  renew(lease: SweepLease, leaseMs: number): Promise<boolean>;
  /** Rejects with `conflict` when the lease was lost. Anything but `running` ends the sweep and the lease. */
  save(lease: SweepLease, result: SweepResult): Promise<void>;
  /** Every place that a network was ever put. */
  cells(): Promise<readonly Cell[]>;
  /** All networks that are not gone, wanted or not. */
  living(): Promise<readonly Network[]>;
  /** By id, whoever's; unknown ids are left out. */
  traces(datasetIds: readonly string[]): Promise<ReadonlyMap<string, DatasetTrace>>;
}

/** The right to try a probe; `token` grows with every claim. */
export interface ProbeLease {
  readonly probe: Probe;
  readonly token: number;
}

export interface ProbeWait {
  /** What it waits for. */
  readonly note: string;
  readonly againInMs: number;
}

export interface ProbeEnd {
  readonly state: "done" | "failed";
  readonly note: string | null;
  readonly hint: string | null;
  readonly result: ProbeResult | null;
}

/** Each write rejects with `conflict` when the lease was lost. */
export interface Probes {
  /** Milliseconds until there is something to claim; 0 = now, null = nothing is open. */
  dueInMs(): Promise<number | null>;
  /** Null when there is nothing that nobody holds. */
  claim(leaseMs: number): Promise<ProbeLease | null>;
  /** It cannot be tried yet. */
  putBack(lease: ProbeLease, wait: ProbeWait): Promise<void>;
  /** It is being tried now, for as long as this. */
  begin(lease: ProbeLease, leaseMs: number): Promise<void>;
  end(lease: ProbeLease, end: ProbeEnd): Promise<void>;
}

export interface Store extends Reads {
  readonly kind: "embedded" | "postgres";
  /** One transaction; tried again when the database asks for it (serialization, deadlock). */
  change<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** As `change`, and at the end everything is undone: for what would be. */
  rehearse<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  readonly work: Work;
  readonly sweeps: Sweeps;
  readonly probes: Probes;
  /** The wishes of these networks, peerings included; those that are gone are left out. */
  networks(ids: readonly string[]): Promise<readonly Network[]>;
  /** Journal rows by network; an entry for each id asked for. */
  attempts(networkIds: readonly string[]): Promise<ReadonlyMap<string, readonly Attempt[]>>;
  pass(lease: Lease): PassWrites;
  /** Calls the listener whenever some network became due, here or in another process. Returns the way to stop. */
  onWake(listener: () => void): () => void;
  /** Frees quarantined ranges whose time has come; returns how many. */
  endDueQuarantines(): Promise<number>;
  /** Answers when the database does; rejects with `unavailable` otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
