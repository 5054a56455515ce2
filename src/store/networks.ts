/**
 * The wishes for networks, with their peerings, their place (cell) and what the last pass saw. Promises that
 * a network's row is locked before anything else that belongs to it, here and in `pass.ts`: so a request and
 * a pass over the same network wait for each other and never for ever. Rows of networks that are gone stay,
 * for `view`.
 */
import type { Cidr } from "../domain/cidr.ts";
import { Failure } from "../domain/failure.ts";
import type { Cell, Layout, Network, PeeringWish, Region } from "../domain/model.ts";
import { newId } from "./ids.ts";
import { release } from "./quotas.ts";
import type { NetworkStatus } from "./store.ts";
import { json, type Session } from "./tables.ts";

export async function cellFor(
  { db }: Session,
  place: { account: string; roleArn: string | null; region: Region },
): Promise<Cell> {
  const { account, roleArn, region } = place;
  const cell = { id: newId("cell"), account, roleArn, region };
  await db
    .insertInto("cell")
    .values(cell)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return db
    .selectFrom("cell")
    .select(["id", "account", "roleArn", "region"])
    .where("account", "=", account)
    .where("roleArn", roleArn === null ? "is" : "=", roleArn)
    .where("region", "=", region)
    .executeTakeFirstOrThrow();
}

export async function insertNetwork(
  session: Session,
  wish: { tenantId: string; datasetId: string; cell: Cell; size: Network["size"]; cidr: Cidr },
): Promise<Network> {
  const id = newId("net");
  await session.db
    .insertInto("network")
    .values({
      id,
      tenantId: wish.tenantId,
      datasetId: wish.datasetId,
      cellId: wish.cell.id,
      size: wish.size,
      cidr: wish.cidr,
      want: "present",
      absentAskedAt: null,
      probeRoleArn: null,
      layout: null,
      readyAt: null,
      createdAt: session.clock.now(),
      goneAt: null,
    })
    .execute();
  const made = (await networks(session, [id]))[0];
  if (made === undefined) throw new Failure("internal", "A network that was just written is not there");
  return made;
}

/** Those that are not yet gone, oldest first. */
export async function networks({ db }: Session, ids: readonly string[]): Promise<readonly Network[]> {
  if (ids.length === 0) return [];
  const rows = await networkRows(db)
    .where("network.id", "in", ids)
    .where("network.goneAt", "is", null)
    .execute();
  return withPeerings(db, rows);
}

/** Asked twice it keeps the first moment. */
export async function wantAbsent({ db, clock }: Session, networkId: string): Promise<void> {
  await db
    .updateTable("network")
    .set(({ fn, val }) => ({ want: "absent", absentAskedAt: fn.coalesce("absentAskedAt", val(clock.now())) }))
    .where("id", "=", networkId)
    .execute();
}

/** The tenant's network of that dataset: the living one, else the last one that is gone. */
export async function networkOf(
  { db }: Session,
  tenantId: string,
  datasetId: string,
): Promise<Network | null> {
  const rows = await networkRows(db)
    .where("network.tenantId", "=", tenantId)
    .where("network.datasetId", "=", datasetId)
    .clearOrderBy()
    .orderBy("network.goneAt", (order) => order.desc().nullsFirst())
    .limit(1)
    .execute();
  return (await withPeerings(db, rows))[0] ?? null;
}

export async function statusOf(
  { db }: Session,
  tenantId: string,
  datasetId: string,
): Promise<NetworkStatus | null> {
  const row = await db
    .selectFrom("networkStatus")
    .innerJoin("network", "network.id", "networkStatus.networkId")
    .select(["networkId", "conditions", "world", "observedAt"])
    .where("network.tenantId", "=", tenantId)
    .where("network.datasetId", "=", datasetId)
    .orderBy("network.goneAt", (order) => order.desc().nullsFirst())
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

export async function saveStatus({ db }: Session, status: NetworkStatus): Promise<void> {
  const { networkId, observedAt } = status;
  const columns = { conditions: json(status.conditions), world: nullable(status.world), observedAt };
  await db
    .insertInto("networkStatus")
    .values({ networkId, ...columns })
    .onConflict((conflict) => conflict.column("networkId").doUpdateSet(columns))
    .execute();
}

/** Chosen once: rejects with `conflict` when the network has another one. */
export async function saveLayout({ db }: Session, networkId: string, layout: Layout): Promise<void> {
  const saved = await db
    .updateTable("network")
    .set({ layout: json(layout) })
    .where("id", "=", networkId)
    .where(({ eb, or }) => or([eb("layout", "is", null), eb("layout", "=", json(layout))]))
    .returning("id")
    .executeTakeFirst();
  if (saved === undefined) throw new Failure("conflict", "The network has another layout already");
}

/** Rejects with `notFound` when the network is gone. */
export async function savePeering(session: Session, networkId: string, wish: PeeringWish): Promise<void> {
  if (!(await lockNetwork(session, networkId))) throw new Failure("notFound", "The network is gone");
  const { connectionId, want, reason, askedAt, establishedAt, endedAt, endedBy } = wish;
  const columns = { want, reason, askedAt, establishedAt, endedAt, endedBy };
  await session.db
    .insertInto("peeringWish")
    .values({ networkId, connectionId, ...columns })
    .onConflict((conflict) => conflict.columns(["networkId", "connectionId"]).doUpdateSet(columns))
    .execute();
  if (endedAt !== null) await release(session, connectionId);
}

/** False when there is no such network, or it is gone. */
export async function lockNetwork({ db }: Session, networkId: string): Promise<boolean> {
  const row = await db
    .selectFrom("network")
    .select("id")
    .where("id", "=", networkId)
    .where("goneAt", "is", null)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** The id of the dataset's network; null when it has none, or it is gone. */
export async function lockNetworkOf({ db }: Session, datasetId: string): Promise<string | null> {
  const row = await db
    .selectFrom("network")
    .select("id")
    .where("datasetId", "=", datasetId)
    .where("goneAt", "is", null)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row?.id ?? null;
}

function networkRows(db: Session["db"]) {
  return db
    .selectFrom("network")
    .innerJoin("dataset", "dataset.id", "network.datasetId")
    .innerJoin("cell", "cell.id", "network.cellId")
    .select([
      "network.id",
      "network.tenantId",
      "network.datasetId",
      "dataset.name as datasetName",
      "dataset.customerAccount",
      "cell.id as cellId",
      "cell.account",
      "cell.roleArn",
      "cell.region",
      "network.size",
      "network.cidr",
      "network.want",
      "network.absentAskedAt",
      "dataset.status as datasetStatus",
      "dataset.writeConnector",
      "dataset.functionArns",
      "network.probeRoleArn",
      "network.layout",
      "network.readyAt",
      "network.createdAt",
      "network.goneAt",
    ])
    .orderBy("network.createdAt")
    .orderBy("network.id");
}

type NetworkRow = Awaited<ReturnType<ReturnType<typeof networkRows>["execute"]>>[number];

async function withPeerings(db: Session["db"], rows: readonly NetworkRow[]): Promise<readonly Network[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const wishes = await db
    .selectFrom("peeringWish")
    .selectAll()
    .where("networkId", "in", ids)
    .orderBy("askedAt")
    .orderBy("connectionId")
    .execute();
  const byNetwork = Map.groupBy(wishes, (wish) => wish.networkId);
  return rows.map(({ cellId, account, roleArn, region, writeConnector, ...row }) => ({
    ...row,
    cluster: writeConnector.kafka,
    cell: { id: cellId, account, roleArn, region },
    peerings: (byNetwork.get(row.id) ?? []).map(({ networkId: _, ...wish }) => wish),
  }));
}

/** SQL's null, not JSON's. */
function nullable<T>(value: T | null) {
  return value === null ? null : json(value);
}
