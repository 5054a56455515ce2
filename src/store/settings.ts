/**
 * The operator's settings, and the address space with its slots. Promises that the installation's name is
 * made once, and that no pool is taken away from under a range in use. Refuses pools that overlap or that
 * cannot be cut into /21s.
 */
import { sql } from "kysely";
import { type Cidr, cidr, compareCidrs, maskLength, overlaps, span } from "../domain/cidr.ts";
import { Failure } from "../domain/failure.ts";
import { type Settings, TENANT_RANGE_MASK } from "../domain/model.ts";
import { newInstallation } from "./ids.ts";
import { json, type Session } from "./tables.ts";

export type SettingsChange = Partial<Omit<Settings, "installation">>;

/** The commonest choices of customers are excluded, so that their networks seldom collide with ours. */
const DEFAULTS: Omit<Settings, "installation"> = {
  addressSpace: [cidr("10.0.0.0/8")],
  excludedCidrs: ["10.0.0.0/15", "10.10.0.0/16", "10.100.0.0/16", "10.255.0.0/16"].map(cidr),
  excludedZoneIds: ["use1-az3"],
  quarantineSeconds: 3600,
  defaultRangeLimit: 8,
};

/** A larger pool would be millions of slots; the largest private block is a /8. */
const SHORTEST_POOL_MASK = 8;

/** Makes the settings of a new installation; does nothing in one that has them. */
export async function seedSettings(session: Session): Promise<void> {
  const made = await session.db
    .insertInto("setting")
    .values({
      installation: newInstallation(),
      excludedCidrs: json(DEFAULTS.excludedCidrs),
      excludedZoneIds: json(DEFAULTS.excludedZoneIds),
      quarantineSeconds: DEFAULTS.quarantineSeconds,
      defaultRangeLimit: DEFAULTS.defaultRangeLimit,
    })
    .onConflict((conflict) => conflict.column("one").doNothing())
    .returning("one")
    .execute();
  if (made.length > 0) await setAddressSpace(session, DEFAULTS.addressSpace);
}

export async function settings({ db }: Session): Promise<Settings> {
  const row = await db.selectFrom("setting").selectAll().executeTakeFirstOrThrow();
  const pools = await db.selectFrom("pool").select("cidr").orderBy("cidr").execute();
  return {
    installation: row.installation,
    addressSpace: pools.map((pool) => pool.cidr),
    excludedCidrs: row.excludedCidrs,
    excludedZoneIds: row.excludedZoneIds,
    quarantineSeconds: row.quarantineSeconds,
    defaultRangeLimit: row.defaultRangeLimit,
  };
}

export async function updateSettings(session: Session, change: SettingsChange): Promise<Settings> {
  const { db } = session;
  await db.selectFrom("setting").select("one").forUpdate().execute();
  if (change.addressSpace !== undefined) await setAddressSpace(session, change.addressSpace);
  const columns = {
    ...(change.excludedCidrs && { excludedCidrs: json(change.excludedCidrs) }),
    ...(change.excludedZoneIds && { excludedZoneIds: json(change.excludedZoneIds) }),
    ...(change.quarantineSeconds !== undefined && { quarantineSeconds: change.quarantineSeconds }),
    ...(change.defaultRangeLimit !== undefined && { defaultRangeLimit: change.defaultRangeLimit }),
  };
  if (Object.keys(columns).length > 0) await db.updateTable("setting").set(columns).execute();
  return settings(session);
}

/** Slots follow the pools: those in both old and new ones stay as they are. */
async function setAddressSpace({ db }: Session, wanted: readonly Cidr[]): Promise<void> {
  const pools = [...new Set(wanted)].sort(compareCidrs);
  refuseBadPools(pools);
  await db.deleteFrom("pool").execute();
  for (const pool of pools) await db.insertInto("pool").values({ cidr: pool }).execute();
  // A slot that is taken meanwhile is locked by its taker: the delete waits, sees it taken and leaves it.
  await sql`delete from slot where not taken
    and not exists (select from pool where slot.cidr <<= pool.cidr)`.execute(db);
  await refuseRangesOutside(db);
  for (const pool of pools) await addSlots(db, pool);
}

function refuseBadPools(pools: readonly Cidr[]): void {
  if (pools.length === 0) throw new Failure("invalid", "The address space must have at least one pool");
  const bad = pools.find(
    (pool) => maskLength(pool) < SHORTEST_POOL_MASK || maskLength(pool) > TENANT_RANGE_MASK,
  );
  if (bad !== undefined)
    throw new Failure("invalid", `${bad} cannot be a pool: its mask must be /8 to /${TENANT_RANGE_MASK}`);
  pools.forEach((pool, index) => {
    const next = pools[index + 1];
    if (next !== undefined && overlaps(pool, next))
      throw new Failure("invalid", `The pools ${pool} and ${next} overlap`);
  });
}

async function refuseRangesOutside(db: Session["db"]): Promise<void> {
  const outside = await db
    .selectFrom("slot")
    .leftJoin("tenantRange", "tenantRange.cidr", "slot.cidr")
    .leftJoin("tenant", "tenant.id", "tenantRange.tenantId")
    .select(["slot.cidr", "tenant.name"])
    .where(sql<boolean>`not exists (select from pool where slot.cidr <<= pool.cidr)`)
    .orderBy("slot.cidr")
    .limit(6)
    .execute();
  if (outside.length === 0) return;
  const named = outside.slice(0, 5).map((row) => `${row.cidr} (tenant ${row.name ?? "unknown"})`);
  const more = outside.length > named.length ? " and others" : "";
  throw new Failure(
    "conflict",
    `Ranges in use would lie outside of the address space: ${named.join(", ")}${more}`,
    {
      hint: "Keep the pool that holds them, or delete those tenants first.",
    },
  );
}

async function addSlots(db: Session["db"], pool: Cidr): Promise<void> {
  const { first, end } = span(pool);
  const step = 2 ** (32 - TENANT_RANGE_MASK);
  await sql`insert into slot (cidr)
    select set_masklen('0.0.0.0'::inet + at, ${TENANT_RANGE_MASK})::cidr
    from generate_series(${first}::bigint, ${end - 1}::bigint, ${step}::bigint) at
    on conflict do nothing`.execute(db);
}
