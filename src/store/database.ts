/**
 * Opens the memory: the embedded database in a folder, or PostgreSQL. Promises that the schema is this program's
 * own before anything is read, and that above the driver there is one code path. Refuses a folder in use, a schema newer than this program, and a database that would lose commits.
 */
import { sql } from "kysely";
import { asFailure, Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/model.ts";
import type { Driver } from "./driver.ts";
import { embeddedInFolder } from "./embedded.ts";
import { attempts } from "./journal.ts";
import { migrate, migrations } from "./migrate.ts";
import { networks } from "./networks.ts";
import { pass } from "./pass.ts";
import { postgres } from "./postgres.ts";
import * as probes from "./probes.ts";
import { farewell, heartbeat } from "./processes.ts";
import { claim, giveBack, nextDueMs, type PassEnd, renew } from "./queue.ts";
import { endDueQuarantines } from "./ranges.ts";
import { reads } from "./reads.ts";
import { seedSettings } from "./settings.ts";
import type { Lease, Probes, Store, Sweeps, Work } from "./store.ts";
import * as sweeps from "./sweeps.ts";
import type { Session } from "./tables.ts";
import { rehearsed, transact, tx, write } from "./transaction.ts";

export interface StoreOptions {
  readonly clock: Clock;
  /** PostgreSQL; without it the embedded database in `dataDir`. */
  readonly databaseUrl?: string;
  readonly dataDir?: string;
  readonly log?: (line: string) => void;
}

/** Rejects with `unavailable` when the database is away, with `conflict` when this program may not have it. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const driver = await driverFor(options);
  try {
    await migrate({ db: driver.db, clock: options.clock }, migrations(), seedSettings);
    return storeOver(driver, options.clock);
  } catch (thrown) {
    await driver.close();
    throw asFailure(thrown);
  }
}

function driverFor({ clock, databaseUrl, dataDir, log = () => {} }: StoreOptions): Promise<Driver> {
  if (databaseUrl !== undefined && dataDir === undefined) return postgres({ databaseUrl, clock, log });
  if (dataDir !== undefined && databaseUrl === undefined) return embeddedInFolder(dataDir);
  throw new Failure("invalid", "Give the store a database URL or a data folder, and not both");
}

/** A store over a driver whose schema is up to date. */
export function storeOver(driver: Driver, clock: Clock): Store {
  const session = { db: driver.db, clock };
  return {
    ...reads(session),
    kind: driver.kind,
    change: (work) => transact(driver, clock, (inside) => work(tx(inside))),
    rehearse: (work) => rehearsed(driver, clock, (inside) => work(tx(inside))),
    work: workOver(driver, clock),
    sweeps: sweepsOver(driver, clock),
    probes: probesOver(driver, clock),
    networks: (ids) => networks(session, ids),
    attempts: (networkIds) => attempts(session, networkIds),
    pass: (lease) => pass((work) => transact(driver, clock, work), lease),
    onWake: (listener) => driver.onWake(listener),
    endDueQuarantines: () => write(driver, clock, endDueQuarantines),
    ping: async () => {
      await sql`select 1`.execute(driver.db);
    },
    close: () => driver.close(),
  };
}

function workOver(driver: Driver, clock: Clock): Work {
  const giveBackAs = (lease: Lease, end: PassEnd) =>
    write(driver, clock, (session) => giveBack(session, lease, end));
  return {
    claim: (limit, leaseMs) => write(driver, clock, (session) => claim(session, limit, leaseMs)),
    renew: (lease, leaseMs) => write(driver, clock, (session) => renew(session, lease, leaseMs)),
    finish: (lease, dueInMs) => giveBackAs(lease, { dueInMs, failure: null }),
    fail: (lease, dueInMs, message) => giveBackAs(lease, { dueInMs, failure: message }),
    nextDueMs: () => nextDueMs({ db: driver.db, clock }),
    heartbeat: (processId) => write(driver, clock, (session) => heartbeat(session, processId)),
    farewell: (processId) => write(driver, clock, (session) => farewell(session, processId)),
  };
}

function sweepsOver(driver: Driver, clock: Clock): Sweeps {
  const session = { db: driver.db, clock };
  return {
    last: () => sweeps.lastSweep(session),
    byId: (id) => sweeps.sweepById(session, id),
    dueInMs: (everyMs) => sweeps.sweepDueInMs(session, everyMs),
    claim: (leaseMs, everyMs) =>
      transact(driver, clock, (inside) => sweeps.claimSweep(inside, leaseMs, everyMs)),
    renew: (lease, leaseMs) => write(driver, clock, (inside) => sweeps.renewSweep(inside, lease, leaseMs)),
    save: (lease, result) => transact(driver, clock, (inside) => sweeps.saveSweep(inside, lease, result)),
    cells: () => sweeps.cells(session),
    living: () => sweeps.livingNetworks(session),
    traces: (datasetIds) => sweeps.datasetTraces(session, datasetIds),
  };
}

function probesOver(driver: Driver, clock: Clock): Probes {
  const writing = <T>(work: (session: Session) => Promise<T>) => write(driver, clock, work);
  return {
    dueInMs: () => probes.probeDueInMs({ db: driver.db, clock }),
    claim: (leaseMs) => writing((session) => probes.claimProbe(session, leaseMs)),
    putBack: (lease, wait) => writing((session) => probes.putBack(session, lease, wait)),
    begin: (lease, leaseMs) => writing((session) => probes.beginProbe(session, lease, leaseMs)),
    end: (lease, end) => writing((session) => probes.endProbe(session, lease, end)),
  };
}
