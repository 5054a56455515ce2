/**
 * Peering connections: what AWS shows, what was wished, and what became of both, in one word, one sentence
 * and one next step. `list`, `accept` and `delete` look at the cloud first.
 *
 *   PENDING ─▶ ACCEPTING ─▶ CONFIGURING ─▶ ACTIVE ─▶ DELETING ─▶ DELETED
 *      └─▶ REJECTED, EXPIRED, FAILED            └─▶ REFUSED (by us, once all its blocks were shown)
 */
import type { AnswerOf } from "../contract/operations.ts";
import type { Actor } from "../control/intent.ts";
import type { Dataset, Tenant } from "../domain/model.ts";
import type { Handlers, House } from "./call.ts";
import { readDataset } from "./datasets.ts";
import { missing } from "./errors.ts";
import { iso } from "./moments.ts";
import { pageOf, pageRequest } from "./paging.ts";
import { type PeeringSight, peeringView } from "./peeringView.ts";
import { commandPlace, noVpcReason, peerOf } from "./vpcs.ts";

type PeeringAnswer = AnswerOf<"vpcPeeringConnections.accept">;

export const peeringHandlers: Handlers<
  "vpcPeeringConnections.list" | "vpcPeeringConnections.accept" | "vpcPeeringConnections.delete"
> = {
  async "vpcPeeringConnections.list"(house, { actor, tenant, dataset, query }) {
    const none = noVpcReason(dataset);
    if (none !== null) return { items: [], nextCursor: null, notes: [none] };
    const asked = house.clock.now();
    await house.intent.refresh(tenant.id, dataset.id);
    const { views, observedAt } = await peeringsOf(house, { actor, tenant, dataset });
    const page = pageOf(views, pageRequest(query), ({ vpcPeeringConnectionId }) => vpcPeeringConnectionId);
    const notes = staleness(observedAt, asked);
    return { items: [...page.items], nextCursor: page.nextCursor, ...(notes.length > 0 && { notes }) };
  },

  async "vpcPeeringConnections.accept"(house, { actor, tenant, dataset, params }) {
    const connectionId = params.vpcPeeringConnectionId;
    await house.intent.acceptPeering(actor, tenant.id, { datasetName: dataset.name, connectionId });
    return onePeering(house, { actor, tenant, dataset }, connectionId);
  },

  async "vpcPeeringConnections.delete"(house, { actor, tenant, dataset, params }) {
    const connectionId = params.vpcPeeringConnectionId;
    await house.intent.deletePeering(actor, tenant.id, { datasetName: dataset.name, connectionId });
    return onePeering(house, { actor, tenant, dataset }, connectionId);
  },
};

interface Asked {
  readonly actor: Actor;
  readonly tenant: Tenant;
  readonly dataset: Dataset;
}

async function onePeering(house: House, asked: Asked, connectionId: string): Promise<PeeringAnswer> {
  const { views } = await peeringsOf(house, asked);
  const view = views.find(({ vpcPeeringConnectionId }) => vpcPeeringConnectionId === connectionId);
  if (!view) throw missing("VPC peering connection", connectionId);
  return view;
}

/** All connections that AWS shows or that somebody wished, by id. */
async function peeringsOf(
  house: House,
  { actor, tenant, dataset }: Asked,
): Promise<{ views: PeeringAnswer[]; observedAt: number | null }> {
  const known = await readDataset(house.store, tenant, dataset);
  const seen = known.status?.world?.peerings ?? [];
  const wishes = known.network?.peerings ?? [];
  const ids = new Set([...seen.map(({ id }) => id), ...wishes.map(({ connectionId }) => connectionId)]);
  const sightOf = (id: string): PeeringSight => ({
    id,
    seen: seen.find((peering) => peering.id === id) ?? null,
    wish: wishes.find(({ connectionId }) => connectionId === id) ?? null,
    condition: known.status?.conditions.find(({ resource }) => resource === `peering/${id}`) ?? null,
    customerAccount: dataset.customerAccountForAccess,
    peer: peerOf(known),
    place: commandPlace(house, { actor, tenant, dataset }),
    now: house.clock.now(),
  });
  return {
    views: [...ids].sort().map((id) => peeringView(sightOf(id))),
    observedAt: known.status?.observedAt ?? null,
  };
}

function staleness(observedAt: number | null, asked: number): string[] {
  if (observedAt !== null && observedAt >= asked) return [];
  const last =
    observedAt === null ? "nothing was seen so far" : `this is what was seen at ${iso(observedAt)}`;
  return [`The cloud could not be looked at just now: ${last}. A request made since may be missing.`];
}
