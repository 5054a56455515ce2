/**
 * Wishes about peering connections. Before a wish is written, the reconciler is asked for a fresh look at the
 * network, so that a request made a second ago is there, and what is refused is refused on what AWS shows now.
 */
import { Failure } from "../domain/failure.ts";
import type { Clock, Network, PeeringWish } from "../domain/model.ts";
import type { SeenPeering } from "../domain/world.ts";
import { judgePeering } from "../network/peerings.ts";
import type { NetworkStatus, Store, Tx } from "../store/store.ts";
import type { Actor, PeeringName } from "./actor.ts";
import { noDataset } from "./datasets.ts";
import { by } from "./people.ts";

export interface PeeringDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Aborted when the process is to end: then nobody is kept waiting. */
  readonly stopping?: AbortSignal;
}

export interface PeeringWishes {
  /** Asks for a new look at the network and waits for it, at most 10 s; then the last known status. */
  refresh(tenantId: string, datasetId: string): Promise<NetworkStatus | null>;
  acceptPeering(actor: Actor, tenantId: string, name: PeeringName): Promise<void>;
  deletePeering(actor: Actor, tenantId: string, name: PeeringName): Promise<void>;
}

/** A caller waits this long for a new look before it gets the last one. */
const REFRESH_MS = 10_000;
/** How long we look for a connection that the caller knows and AWS does not show yet. */
const APPEARS_WITHIN_MS = 3_000;
const STEP_MS = 50;

export function peeringWishes({ store, clock, stopping }: PeeringDeps): PeeringWishes {
  async function refresh(tenantId: string, datasetId: string): Promise<NetworkStatus | null> {
    const asked = clock.now();
    const network = await store.tenant(tenantId).network(datasetId);
    if (!network) return null;
    await store.change((tx) => tx.wake(network.id, "fresh"));
    for (;;) {
      const status = await store.tenant(tenantId).status(datasetId);
      if (sawSince(status, asked)) return status;
      if (stopping?.aborted || clock.now() - asked >= REFRESH_MS) return status;
      await clock.sleep(STEP_MS, stopping);
    }
  }

  /** The connection as AWS shows it now; looks again for a moment when it is not there. */
  async function find(tenantId: string, { datasetName, connectionId }: PeeringName): Promise<Found> {
    const started = clock.now();
    const dataset = await store.tenant(tenantId).dataset(datasetName);
    if (!dataset || dataset.status === "DELETED") throw noDataset(datasetName);
    if (!(await store.tenant(tenantId).network(dataset.id))) throw noVpc(datasetName);
    for (;;) {
      const status = await refresh(tenantId, dataset.id);
      if (!status || !sawSince(status, started)) throw blind(datasetName, status);
      const peering = status.world?.peerings.find(({ id }) => id === connectionId);
      if (peering) return { datasetId: dataset.id, peering, status };
      if (clock.now() - started >= APPEARS_WITHIN_MS) return { datasetId: dataset.id, peering: null, status };
      await clock.sleep(STEP_MS * 5, stopping);
      if (stopping?.aborted) throw blind(datasetName, status);
    }
  }

  return {
    refresh,
    async acceptPeering(actor, tenantId, name) {
      const found = await find(tenantId, name);
      await store.change((tx) => accept(tx, { actor, tenantId, name, found, now: clock.now() }));
    },
    async deletePeering(actor, tenantId, name) {
      const found = await find(tenantId, name);
      await store.change((tx) => remove(tx, { actor, tenantId, name, found, now: clock.now() }));
    },
  };
}

/** True when the peerings were looked at since. */
function sawSince(status: NetworkStatus | null, moment: number): boolean {
  return status?.world != null && status.world.lookedAt.peerings >= moment;
}

interface Found {
  readonly datasetId: string;
  readonly peering: SeenPeering | null;
  readonly status: NetworkStatus;
}

interface Wish {
  readonly actor: Actor;
  readonly tenantId: string;
  readonly name: PeeringName;
  readonly found: Found;
  readonly now: number;
}

function noVpc(name: string): Failure {
  return new Failure("conflict", `Dataset ${name} has no VPC to peer with`, {
    hint: "Only datasets with a Kafka write connector of ours have one.",
  });
}

/** The condition `cloud` says it when the cloud does not answer. */
function blind(name: string, status: NetworkStatus | null): Failure {
  const conditions = status?.conditions ?? [];
  const telling = conditions.find(({ resource }) => resource === "cloud");
  const why = (telling ?? conditions.find(({ state }) => state === "blocked"))?.message;
  return new Failure(
    "unavailable",
    `The cloud could not be looked at in time for dataset ${name}${why ? `: ${why}` : ""}`,
    {
      hint: "Try again; `letsdata datasets view` says what is wrong.",
    },
  );
}

function noPeering({ datasetName, connectionId }: PeeringName): Failure {
  return new Failure(
    "notFound",
    `AWS shows no peering connection ${connectionId} to the VPC of dataset ${datasetName}`,
    {
      hint:
        "Check the id, and that --peer-vpc-id and --peer-region were this dataset's: " +
        `letsdata vpcs list --datasetName ${datasetName} --peeringGuide. A request that fails at once, as with ` +
        "overlapping ranges, shows on your side only: aws ec2 describe-vpc-peering-connections " +
        `--vpc-peering-connection-ids ${connectionId}`,
    },
  );
}

async function lockedNetwork(tx: Tx, { tenantId, found, name }: Wish): Promise<Network> {
  await tx.lockTenant(tenantId);
  const network = await tx.tenant(tenantId).network(found.datasetId);
  if (!network) throw noVpc(name.datasetName);
  return network;
}

async function accept(tx: Tx, wish: Wish): Promise<void> {
  const { name, found, now } = wish;
  const network = await lockedNetwork(tx, wish);
  if (network.want === "absent")
    throw new Failure(
      "conflict",
      `Dataset ${name.datasetName} is being deleted: nothing can be peered with it`,
    );
  if (!found.peering) throw noPeering(name);
  const before = network.peerings.find(({ connectionId }) => connectionId === name.connectionId);
  // Accepting twice is no mistake as long as the first wish is still being carried out.
  if (before && before.want === "active" && before.endedAt === null && before.establishedAt === null) return;
  const accepted = network.peerings.filter((other) => other.want === "active" && other.endedAt === null);
  const others = (found.status.world?.peerings ?? []).filter((other) =>
    accepted.some(({ connectionId }) => connectionId === other.id && connectionId !== name.connectionId),
  );
  const verdict = judgePeering({
    vpcCidr: network.cidr,
    customerAccount: network.customerAccount,
    peering: found.peering,
    others,
    now,
  });
  if (!verdict.ok) throw new Failure(verdict.code, verdict.message, { hint: verdict.hint });
  await save(tx, wish, network, { want: "active", reason: null, establishedAt: null });
}

async function remove(tx: Tx, wish: Wish): Promise<void> {
  const { name, found } = wish;
  const network = await lockedNetwork(tx, wish);
  const before = network.peerings.find(({ connectionId }) => connectionId === name.connectionId);
  if (!found.peering && (!before || before.endedAt !== null)) throw noPeering(name);
  if (before?.want === "deleted" && before.endedAt === null) return;
  const state = found.peering?.state;
  if (state === "failed" || state === "rejected" || state === "expired" || state === "deleted")
    throw new Failure(
      "conflict",
      `${name.connectionId} is already ${state}: AWS removes it from its lists by itself`,
      {
        hint: "Nothing has to be done.",
      },
    );
  const establishedAt = before?.establishedAt ?? null;
  await save(tx, wish, network, { want: "deleted", reason: null, establishedAt });
}

async function save(
  tx: Tx,
  { actor, tenantId, name, now }: Wish,
  network: Network,
  wish: Pick<PeeringWish, "want" | "reason" | "establishedAt">,
): Promise<void> {
  const { connectionId, datasetName } = name;
  await tx.savePeering(network.id, { ...wish, connectionId, askedAt: now, endedAt: null, endedBy: null });
  await tx.wake(network.id);
  const action = wish.want === "active" ? "vpcPeeringConnections.accept" : "vpcPeeringConnections.delete";
  await tx.writeAudit({
    ...by(actor),
    tenantId,
    action,
    subject: `peering/${connectionId}`,
    detail: { datasetName },
  });
}
