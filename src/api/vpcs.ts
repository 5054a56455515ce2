/**
 * VPCs of datasets, as the customer needs them to connect: ids and range, subnets in the order of the layout,
 * gateways with their public addresses. Told from what the cloud showed last.
 */
import type { AnswerOf } from "../contract/operations.ts";
import { needsVpc } from "../control/datasets.ts";
import type { Actor } from "../control/intent.ts";
import { networkStatusOf } from "../control/outlook.ts";
import type { Dataset, Network, Tenant } from "../domain/model.ts";
import { emptyWorld, type SeenSubnet, type World } from "../domain/world.ts";
import { DEFAULT_TENANT, datasetOf } from "./auth.ts";
import type { Handlers, House } from "./call.ts";
import { type CommandPlace, type PeerOf, peeringGuide } from "./commands.ts";
import { type KnownDataset, readDataset, statusReason } from "./datasets.ts";
import { filledPage, pageRequest } from "./paging.ts";
import { bootstrapOf } from "./writeConnectors.ts";

type VpcView = AnswerOf<"vpcs.list">["items"][number];

export const vpcHandlers: Handlers<"vpcs.list"> = {
  async "vpcs.list"(house, { actor, tenant, query }) {
    const guided = (known: KnownDataset) => {
      const place = commandPlace(house, { actor, tenant, dataset: known.dataset });
      return vpcView(known, query.peeringGuide ? place : null);
    };
    const { store } = house;
    if (query.datasetName === undefined) {
      const page = await filledPage(
        pageRequest(query),
        (request) => store.tenant(tenant.id).datasets(request),
        async (dataset) => guided(await readDataset(store, tenant, dataset)),
      );
      return { items: [...page.items], nextCursor: page.nextCursor };
    }
    const known = await readDataset(store, tenant, await datasetOf(store, tenant, query.datasetName));
    const view = guided(known);
    const notes = vpcNotes(known, query.peeringGuide);
    return { items: view ? [view] : [], nextCursor: null, ...(notes.length > 0 && { notes }) };
  },
};

export function commandPlace(
  { platform }: Pick<House, "platform">,
  { actor, tenant, dataset }: { actor: Actor; tenant: Tenant; dataset: Dataset },
): CommandPlace {
  const elsewhere = actor.tenantId === null && tenant.name !== DEFAULT_TENANT;
  return {
    datasetName: dataset.name,
    tenantName: elsewhere ? tenant.name : null,
    customerAccount: dataset.customerAccountForAccess,
    sandboxUrl: platform.sandboxUrl ?? null,
  };
}

/** Why there is no VPC, or no guide yet. */
export function vpcNotes(known: KnownDataset, guide: boolean): string[] {
  const { dataset } = known;
  const none = noVpcReason(dataset);
  if (none !== null) return [none];
  if (known.network && known.network.goneAt !== null)
    return [
      `Dataset ${dataset.name} has no VPC now: its write connector was deleted. ` +
        `Build it again: letsdata writeConnectors reinitialize --datasetName ${dataset.name}`,
    ];
  if (guide && peerOf(known) === null)
    return [`The commands need the VPC's id, and the VPC of ${dataset.name} is not created yet: ask again.`];
  return [];
}

export function noVpcReason(dataset: Dataset): string | null {
  const { name, writeConnector, status } = dataset;
  if (status === "DELETED") return `Dataset ${name} was deleted, and its VPC with it.`;
  if (needsVpc(writeConnector)) return null;
  if (writeConnector.resourceLocation === "customer")
    return `Dataset ${name} has no VPC of ours: its write connector is the customer's own (resourceLocation customer).`;
  return `Dataset ${name} has no VPC: it writes to ${writeConnector.connectorDestination}, and only Kafka needs one.`;
}

/** What the customer's side has to name; null while the VPC is not there. */
export function peerOf({ network, status }: Pick<KnownDataset, "network" | "status">): PeerOf | null {
  const vpc = status?.world?.vpcs[0];
  if (!network || !vpc) return null;
  return { vpcId: vpc.id, ownerId: vpc.ownerId, region: network.cell.region, cidrBlock: network.cidr };
}

/** Null for a dataset without a VPC; `place` asks for the guide. */
export function vpcView(known: KnownDataset, place: CommandPlace | null): VpcView | null {
  const { dataset, network, status } = known;
  const standing = networkStatusOf(known);
  if (!network || standing === null || standing === "DELETED") return null;
  const world = status?.world ?? emptyWorld(0);
  const peer = peerOf(known);
  return {
    datasetName: dataset.name,
    vpcId: peer?.vpcId ?? null,
    ownerId: peer?.ownerId ?? network.cell.account,
    cidrBlock: network.cidr,
    region: network.cell.region,
    vpcSize: network.size,
    status: standing,
    statusReason: statusReason(known),
    subnets: subnetViews(network, world),
    natGateways: natGatewayViews(world),
    bootstrapBrokers: bootstrapOf(known),
    ...(place && peer && { peeringGuide: peeringGuide(place, peer) }),
  };
}

function subnetViews({ layout }: Network, world: World): VpcView["subnets"] {
  const plans = [
    ...(layout?.privateSubnets ?? []).map(({ key }) => ({ key, type: "private" as const })),
    ...(layout?.publicSubnets ?? []).map(({ key }) => ({ key, type: "public" as const })),
  ];
  return plans.flatMap(({ key, type }) => {
    const seen = world.subnets.find((subnet) => subnet.key === key);
    return seen ? [subnetView(seen, type)] : [];
  });
}

function subnetView(seen: SeenSubnet, type: "private" | "public"): VpcView["subnets"][number] {
  return {
    subnetId: seen.id,
    type,
    availabilityZone: seen.zone,
    availabilityZoneId: seen.zoneId,
    cidrBlock: seen.cidr,
    availableIpAddressCount: seen.freeAddresses,
  };
}

/** AWS lists deleted gateways for about an hour; nobody needs them here. */
function natGatewayViews({ natGateways, addresses }: World): VpcView["natGateways"] {
  return natGateways
    .filter(({ state }) => state !== "deleted")
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ id, state, subnetId, allocationIds }) => ({
      natGatewayId: id,
      state,
      subnetId,
      publicIp: addresses.find((address) => allocationIds.includes(address.id))?.publicIp ?? null,
    }));
}
