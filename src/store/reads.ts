/**
 * Everything that can be read, over the database or inside one transaction. Promises that what belongs to a
 * tenant is reached only through `tenant(id)`, which narrows every query to that tenant's rows.
 */
import { audit } from "./audit.ts";
import { datasetByName, datasets } from "./datasets.ts";
import { key, keyByHash, keys } from "./keys.ts";
import { networkOf, statusOf } from "./networks.ts";
import { probeOf } from "./probes.ts";
import { allTenantRanges, datasetRanges, tenantRanges } from "./ranges.ts";
import { settings } from "./settings.ts";
import type { Reads, TenantScope } from "./store.ts";
import type { Session } from "./tables.ts";
import { tenantById, tenantByName, tenants } from "./tenants.ts";

export function reads(session: Session): Reads {
  return {
    settings: () => settings(session),
    tenants: (page) => tenants(session, page),
    tenantByName: (name) => tenantByName(session, name),
    tenantById: (id) => tenantById(session, id),
    keyByHash: (hash) => keyByHash(session, hash),
    operatorKeys: (page) => keys(session, null, page),
    audit: (page) => audit(session, null, page),
    allTenantRanges: (page) => allTenantRanges(session, page),
    tenant: (id) => tenantScope(session, id),
  };
}

function tenantScope(session: Session, tenantId: string): TenantScope {
  return {
    keys: (page) => keys(session, tenantId, page),
    key: (id) => key(session, tenantId, id),
    datasets: (page) => datasets(session, tenantId, page),
    dataset: (name) => datasetByName(session, tenantId, name),
    network: (datasetId) => networkOf(session, tenantId, datasetId),
    status: (datasetId) => statusOf(session, tenantId, datasetId),
    probe: (datasetId, id) => probeOf(session, { tenantId, datasetId, id }),
    ranges: () => tenantRanges(session, tenantId),
    datasetRanges: () => datasetRanges(session, tenantId),
    audit: (page) => audit(session, tenantId, page),
  };
}
