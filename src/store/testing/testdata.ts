/**
 * Rows for tests: a tenant, a dataset, a network with its range, all through the store's own methods. Not used
 * by the product.
 */
import { cidrAt, span } from "../../domain/cidr.ts";
import type { Dataset, Network, Settings, Tenant } from "../../domain/model.ts";
import type { Lease, NewDataset, Store, Tx } from "../store.ts";

export const FIRST_PAGE = { limit: 100, cursor: null };

export function addTenant(store: Store, name = "default"): Promise<Tenant> {
  return store.change((tx) => tx.insertTenant({ name, rangeLimit: 8, avoidCidrs: [] }));
}

export function datasetWish(tenantId: string, name: string): NewDataset {
  return {
    tenantId,
    name,
    region: "us-east-1",
    customerAccountForAccess: "111122223333",
    writeConnector: {
      connectorDestination: "Kafka",
      resourceLocation: "letsdata",
      vpcSize: "small",
      vpcCidrBlock: null,
      kafka: null,
    },
    functionArns: [],
    configuration: { zeta: 1, alpha: { Deep_Key: true } },
    status: "CREATING",
  };
}

export interface AddedNetwork {
  readonly dataset: Dataset;
  readonly network: Network;
}

/** A small network in a tenant range of its own, due at once. */
export function addNetwork(store: Store, tenantId: string, name = "Clicks"): Promise<AddedNetwork> {
  return store.change(async (tx) => {
    const settings = await tx.settings();
    await tx.lockTenant(tenantId);
    return insertNetwork(tx, settings, datasetWish(tenantId, name));
  });
}

async function insertNetwork(tx: Tx, settings: Settings, wish: NewDataset): Promise<AddedNetwork> {
  const { tenantId } = wish;
  const [slot] = await tx.freeSlots({ closed: settings.excludedCidrs, limit: 1 });
  if (slot === undefined) throw new Error("no slot is free");
  const dataset = await tx.insertDataset(wish);
  await tx.insertTenantRange(tenantId, slot);
  const cidr = cidrAt(span(slot).first, 25);
  await tx.insertDatasetRange({ tenantId, datasetId: dataset.id, tenantRange: slot, cidr });
  const cell = await tx.cellFor({ account: "444455556666", roleArn: null, region: wish.region });
  const network = await tx.insertNetwork({ tenantId, datasetId: dataset.id, cell, size: "small", cidr });
  await tx.wake(network.id);
  return { dataset, network };
}

/** The lease on the only network that is due. */
export async function claimOne(store: Store, leaseMs = 30_000): Promise<Lease> {
  const [lease, ...others] = await store.work.claim(10, leaseMs);
  if (lease === undefined || others.length > 0) throw new Error("not exactly one network is due");
  return lease;
}

/** For `assert.rejects`. */
export function failsWith(code: string, message = /./): (thrown: unknown) => boolean {
  return (thrown) =>
    thrown instanceof Error && Reflect.get(thrown, "code") === code && message.test(thrown.message);
}
