/**
 * The moves that give a network its cluster, and what is said of it. It is made once its subnets and groups are
 * there, and made once: a cluster that somebody deleted had data in it, so it is reported and not made again until
 * somebody wants that (its attempt in the journal is closed then). What cannot be changed in place is reported and
 * never replaced. Somebody else's cluster of our name is left alone.
 *
 *   absent ─▶ CREATING ─▶ ACTIVE ⇄ UPDATING, HEALING, …       FAILED, or gone by others' hands: reported
 *                 └──────────────────────────────────────────▶ wanted again: deleted if it is there, made anew
 */
import type { SeenCluster } from "../domain/connector.ts";
import { brokerCount } from "../domain/kafka.ts";
import type { Condition, KafkaCluster, Layout, Network } from "../domain/model.ts";
import { type Draft, made, type Sight } from "./sight.ts";

export const CLUSTER = "cluster";

/** Seconds. Creating takes 15 to 60 minutes: https://docs.aws.amazon.com/msk/latest/developerguide/troubleshooting.html */
export const USUAL_CLUSTER = { create: 1_800, change: 900, remove: 900 } as const;
/** After so long it will not come any more, milliseconds. */
const CREATED_WITHIN_MS = 7_200_000;

export interface ConnectorInput {
  readonly network: Network;
  readonly layout: Layout;
  readonly sight: Sight;
  readonly draft: Draft;
}

interface ClusterInput extends ConnectorInput {
  readonly wish: KafkaCluster;
}

/** Makes the moves; true once what runs beside the cluster can use it. */
export function buildCluster(input: ConnectorInput): boolean {
  const { cluster: wish } = input.network;
  if (!wish) return true;
  const { sight } = input;
  const of = { ...input, wish };
  const stranger = sight.world.clusters.find(({ ours }) => !ours);
  if (stranger) return tellStranger(of, stranger);
  const looked = sight.look(sight.world.clusters, CLUSTER);
  if (looked.is === "seen") return tend(of, looked.thing);
  const lost = looked.is === "absent" ? sight.lost(CLUSTER) : null;
  if (lost) return tellLost(of, lost);
  const spec = clusterSpec(of);
  if (looked.is === "absent" && spec === null) {
    const message = "needs its private subnets and groups first";
    const usualSeconds = USUAL_CLUSTER.create;
    input.draft.waiting({ resource: CLUSTER, message, actor: "letsdata", usualSeconds });
  } else if (looked.is === "pending" || spec !== null)
    made(input.draft, looked, {
      do: "createCluster",
      key: CLUSTER,
      // A pending one is not made: its spec is not read.
      spec: spec ?? specOf(wish, { subnetIds: [], groupIds: [] }),
      usual: USUAL_CLUSTER.create,
    });
  return false;
}

interface Places {
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
}

/** Null while a subnet or a group of it is not there. */
function clusterSpec({ wish, ...input }: ClusterInput) {
  const places = placesOf(input);
  return places && specOf(wish, places);
}

/** The private subnets, and the groups: `cluster`, and `peers` from the beginning. */
function placesOf({ layout, sight }: Omit<ConnectorInput, "network">): Places | null {
  const { subnets, groups } = sight.world;
  const subnetIds = layout.privateSubnets.flatMap(({ key }) => {
    const looked = sight.look(subnets, key);
    return looked.is === "seen" && looked.thing.state === "available" ? [looked.thing.id] : [];
  });
  const groupIds = ["group/cluster", "group/peers"].flatMap((key) => {
    const looked = sight.look(groups, key);
    return looked.is === "seen" ? [looked.thing.id] : [];
  });
  return subnetIds.length < layout.privateSubnets.length || groupIds.length < 2
    ? null
    : { subnetIds, groupIds };
}

function specOf(wish: KafkaCluster, places: Places) {
  const { clusterType, version, instanceType, volumeGiB, authentication } = wish;
  return {
    ...{ clusterType, version, instanceType, volumeGiB, authentication },
    brokerCount: brokerCount(wish),
    ...places,
  };
}

export function command(verb: string, { datasetName }: Network): string {
  return `letsdata writeConnectors ${verb} --datasetName ${datasetName}`;
}

function tellStranger({ draft }: ClusterInput, { id, name }: SeenCluster): false {
  draft.blocked({
    resource: CLUSTER,
    id,
    actor: "operator",
    message: `the name ${name} is taken by a cluster that does not bear this installation's tags: it is not touched`,
    hint: "Find out whose it is, and delete it if it is nobody's; then it goes on by itself.",
  });
  return false;
}

function tellLost({ draft, network }: ClusterInput, id: string): false {
  draft.blocked({
    resource: CLUSTER,
    id,
    actor: "operator",
    message: "was deleted outside of letsdata, and its data with it; it is not made again by itself",
    hint: `A new, empty one: ${command("reinitialize", network)} ; or without: ${command("delete", network)}`,
  });
  return false;
}

function tend(input: ClusterInput, cluster: SeenCluster): boolean {
  const { sight, draft, wish } = input;
  const resource = { resource: CLUSTER, id: cluster.id };
  if (sight.isGivenUp(CLUSTER, cluster.id)) return replace(input, cluster);
  const fixed = differing(input, cluster);
  if (fixed) {
    draft.blocked({
      ...resource,
      actor: "operator",
      message: `${fixed}; that cannot be changed, and a cluster with data is not replaced`,
      hint: `Delete it, with its data, and build it anew: ${command("delete", input.network)} --wait ; then ${command("reinitialize", input.network)}`,
    });
    return false;
  }
  if (cluster.state !== "active") return tellState(input, cluster);
  if (grow(input, cluster)) return true;
  if (Object.values(cluster.bootstrap).every((text) => text === null)) {
    draft.waiting({ ...resource, message: "is ACTIVE; AWS does not say yet where its brokers are" });
    return false;
  }
  draft.ready({ ...resource, message: `is ACTIVE: ${described(cluster)}${upgrade(cluster, wish)}` });
  return true;
}

/** Given up, because somebody wants a new one: the name is free again only when it is gone. */
function replace({ draft }: ClusterInput, { id, state }: SeenCluster): false {
  const isGoing = state === "deleting";
  if (!isGoing) draft.move({ do: "deleteCluster", key: CLUSTER, clusterArn: id });
  draft.waiting({
    resource: CLUSTER,
    id,
    actor: isGoing ? "aws" : "letsdata",
    message: "the old one is being deleted; then a new one is made",
    usualSeconds: USUAL_CLUSTER.remove,
  });
  return false;
}

/** What AWS lets nobody change: the kind of cluster, its subnets, its groups. */
function differing(input: ClusterInput, cluster: SeenCluster): string | null {
  const { wish } = input;
  if (cluster.clusterType !== wish.clusterType)
    return `is of type ${cluster.clusterType} and should be ${wish.clusterType}`;
  const places = placesOf(input);
  if (!places) return null;
  if (!sameSet(cluster.subnetIds, places.subnetIds))
    return `stands in ${cluster.subnetIds.join(", ")} and should in ${places.subnetIds.join(", ")}`;
  if (!sameSet(cluster.groupIds, places.groupIds))
    return `has the security groups ${cluster.groupIds.join(", ")} and should have ${places.groupIds.join(", ")}`;
  return null;
}

export function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one));
}

type Worded = Pick<Condition, "message"> & { readonly usualSeconds?: number };

/** States in which clients are served: AWS is at work on one broker after another. */
const SERVING: Readonly<Record<string, string>> = {
  healing: "is HEALING: AWS replaces a broker",
  maintenance: "is in MAINTENANCE: AWS restarts one broker after another",
  rebooting_broker: "reboots a broker",
};

function tellState({ draft, sight, network, wish }: ClusterInput, cluster: SeenCluster): boolean {
  const { id, state, stateReason, createdAt } = cluster;
  const resource = { resource: CLUSTER, id };
  const serving = SERVING[state];
  if (serving) {
    draft.ready({ ...resource, message: serving });
    return true;
  }
  if (state === "failed" || state === "deleting") {
    const why = stateReason ? `: ${stateReason}` : "; AWS gives no reason";
    const failed = `AWS could not make it${why}. A FAILED cluster can only be deleted`;
    draft.blocked({
      ...resource,
      actor: "operator",
      message: state === "failed" ? failed : "is being deleted outside of letsdata",
      hint: `A new one: ${command("reinitialize", network)} ; or without: ${command("delete", network)}`,
    });
    return false;
  }
  if (state === "creating" && createdAt !== null && sight.now - createdAt >= CREATED_WITHIN_MS) {
    draft.blocked({ ...resource, actor: "operator", ...late(sight.now - createdAt, network) });
    return false;
  }
  const growing = state === "updating" ? growth(wish, cluster) : null;
  draft.waiting({ ...resource, ...(growing ?? progress(cluster)) });
  return state === "updating";
}

function late(ms: number, network: Network): Worded & { readonly hint: string } {
  return {
    message: `longer than usual: it has been CREATING for ${Math.floor(ms / 60_000)} min, and 120 min should be enough`,
    hint: `Open a case with AWS Support, or give it up: ${command("delete", network)}`,
  };
}

function progress({ state, ...cluster }: SeenCluster): Worded {
  if (state === "creating")
    return {
      message: `is CREATING: ${described({ state, ...cluster })}; AWS takes 15 to 60 minutes`,
      usualSeconds: USUAL_CLUSTER.create,
    };
  return { message: `is ${state.toUpperCase()}`, usualSeconds: USUAL_CLUSTER.change };
}

/** Storage grows and never shrinks: https://docs.aws.amazon.com/msk/latest/developerguide/msk-update-storage.html */
function grow({ wish, draft }: ClusterInput, cluster: SeenCluster): boolean {
  const { id, revision } = cluster;
  const growing = growth(wish, cluster);
  if (!growing || wish.volumeGiB === null) return false;
  draft.move({
    do: "growStorage",
    key: CLUSTER,
    clusterArn: id,
    revision,
    volumeGiB: wish.volumeGiB,
  });
  draft.waiting({ resource: CLUSTER, id, ...growing });
  return true;
}

/** Null when there is as much as was wished for, or more. */
function growth({ volumeGiB: wished }: KafkaCluster, { volumeGiB }: SeenCluster): Worded | null {
  if (wished === null || volumeGiB === null || volumeGiB >= wished) return null;
  const message = `its storage grows from ${volumeGiB} to ${wished} GiB a broker`;
  return { message, usualSeconds: USUAL_CLUSTER.change };
}

function described({ brokerCount: count, instanceType, version, volumeGiB }: SeenCluster): string {
  const storage = volumeGiB === null ? "" : `, ${volumeGiB} GiB each`;
  return `${count} brokers ${instanceType}${storage}, Kafka ${version}`;
}

function upgrade({ version, upgrades }: SeenCluster, wish: KafkaCluster): string {
  const newer = upgrades.filter((one) => one !== version);
  const changed = version === wish.version ? "" : ` (${wish.version} was asked for)`;
  return `${changed}${newer.length > 0 ? `; could be upgraded to ${newer.join(", ")}` : ""}`;
}
