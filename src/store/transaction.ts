/**
 * One transaction: what may be written in it, and how it is run. Promises that it is tried again when the
 * database asks for it (a deadlock, a serialization failure), so that its work must not touch anything but
 * the transaction; after five tries it is `unavailable`.
 */
import { asFailure } from "../domain/failure.ts";
import type { Clock } from "../domain/model.ts";
import { answerFor, rememberAnswer } from "./answers.ts";
import { writeAudit } from "./audit.ts";
import { askConnector, askConnectorDelete, updateConnector } from "./connectors.ts";
import { askDelete, insertDataset, setDatasetStatus } from "./datasets.ts";
import type { Driver } from "./driver.ts";
import { asksForRetry } from "./errors.ts";
import { giveUp } from "./journal.ts";
import { insertKey, revokeKey } from "./keys.ts";
import { cellFor, insertNetwork, savePeering } from "./networks.ts";
import { askProbe, openProbes } from "./probes.ts";
import { wake } from "./queue.ts";
import { endQuarantine, holderOf, insertDatasetRange, insertTenantRange, restoreRange } from "./ranges.ts";
import { reads } from "./reads.ts";
import { updateSettings } from "./settings.ts";
import { freeSlots } from "./slots.ts";
import type { Tx } from "./store.ts";
import { askSweep } from "./sweeps.ts";
import type { Session } from "./tables.ts";
import { deleteTenant, insertTenant, lockTenant, updateTenant } from "./tenants.ts";

const TRIES = 5;

/** Runs work in one transaction. */
export function transact<T>(
  driver: Driver,
  clock: Clock,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  return tried(driver, () => driver.db.transaction().execute((db) => work({ db, clock })));
}

/** Runs work in one transaction that is rolled back at the end. */
export function rehearsed<T>(
  driver: Driver,
  clock: Clock,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  return tried(driver, async () => {
    const transaction = await driver.db.startTransaction().execute();
    try {
      return await work({ db: transaction, clock });
    } finally {
      await transaction.rollback().execute();
    }
  });
}

/** Runs work that is one statement, which is its own transaction. */
export function write<T>(driver: Driver, clock: Clock, work: (session: Session) => Promise<T>): Promise<T> {
  return tried(driver, () => work({ db: driver.db, clock }));
}

async function tried<T>(driver: Driver, run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      const result = await run();
      await driver.afterWrite();
      return result;
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (tries === TRIES || !asksForRetry(failure)) throw failure;
    }
  }
}

export function tx(session: Session): Tx {
  return {
    ...reads(session),
    lockTenant: (id) => lockTenant(session, id),
    insertTenant: (tenant) => insertTenant(session, tenant),
    updateTenant: (id, change) => updateTenant(session, id, change),
    deleteTenant: (id) => deleteTenant(session, id),
    insertKey: (key) => insertKey(session, key),
    revokeKey: (tenantId, id) => revokeKey(session, tenantId, id),
    updateSettings: (change) => updateSettings(session, change),
    insertDataset: (dataset) => insertDataset(session, dataset),
    setDatasetStatus: (datasetId, status) => setDatasetStatus(session, datasetId, status),
    askDelete: (datasetId) => askDelete(session, datasetId),
    askConnectorDelete: (datasetId) => askConnectorDelete(session, datasetId),
    askConnector: (datasetId) => askConnector(session, datasetId),
    updateConnector: (datasetId, connector) => updateConnector(session, datasetId, connector),
    giveUp: (networkId, key) => giveUp(session, networkId, key),
    restoreRange: (datasetId) => restoreRange(session, datasetId),
    freeSlots: (request) => freeSlots(session, request),
    holderOf: (block) => holderOf(session, block),
    insertTenantRange: (tenantId, cidr) => insertTenantRange(session, tenantId, cidr),
    insertDatasetRange: (range) => insertDatasetRange(session, range),
    endQuarantine: (tenantId, cidr) => endQuarantine(session, tenantId, cidr),
    cellFor: (cell) => cellFor(session, cell),
    insertNetwork: (network) => insertNetwork(session, network),
    savePeering: (networkId, wish) => savePeering(session, networkId, wish),
    wake: (networkId, fresh) => wake(session, networkId, fresh),
    writeAudit: (record) => writeAudit(session, record),
    askSweep: (wish) => askSweep(session, wish),
    openProbes: (networkId) => openProbes(session, networkId),
    askProbe: (asked) => askProbe(session, asked),
    answerFor: (scope, operation, key) => answerFor(session, { scope, operation, key }),
    rememberAnswer: (scope, operation, key, answer) =>
      rememberAnswer(session, { scope, operation, key }, answer),
  };
}
