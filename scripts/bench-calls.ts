/**
 * `npm run bench:calls`: how many calls AWS would see, counted from the sandbox's own request log, retries
 * included: creating one network (instant NAT gateways, and such that take 100 s), a look at one at rest, a look
 * at a hundred of one cell, deleting one. Service Quotas and STS are printed apart. By a clock that leaps: no
 * figure hangs on the machine's speed. One JSON line a figure; exits 1 beyond a limit.
 */
import type { LoggedRequest } from "../src/sandbox/requestLog.ts";
import { PROFILES, type Settings } from "../src/sandbox/settings.ts";
import { kafkaRequest, OPERATOR, openPlane, type Plane } from "../tests/support/plane.ts";

const MANY = 100;

function report(figure: string, value: number, limit: number): void {
  const ok = value <= limit;
  console.log(JSON.stringify({ figure, value, limit, ok }));
  if (!ok) process.exitCode = 1;
}

interface Count {
  readonly mutating: number;
  readonly ec2: number;
  readonly others: number;
}

async function counted({ admin }: Plane, work: () => Promise<unknown>): Promise<Count> {
  await admin("DELETE", "requests");
  await work();
  const { requests } = (await admin("GET", "requests?since=0")) as { requests: readonly LoggedRequest[] };
  const ec2 = requests.filter(({ service }) => service === "ec2");
  return {
    mutating: ec2.filter(({ mutating }) => mutating).length,
    ec2: ec2.length,
    others: requests.length - ec2.length,
  };
}

async function create({ intent, tenantId }: Plane, names: readonly string[]): Promise<void> {
  for (const name of names) await intent.createDataset(OPERATOR, tenantId, kafkaRequest(name));
}

async function until({ clock }: Plane, done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await clock.sleep(1_000);
}

async function reached(plane: Plane, name: string, status: string): Promise<void> {
  const scope = plane.store.tenant(plane.tenantId);
  await until(plane, async () => (await scope.dataset(name))?.status === status);
}

/** ACTIVE, and nothing of them is still on its way. */
async function atRest({ store, tenantId }: Plane, names: readonly string[]): Promise<boolean> {
  const scope = store.tenant(tenantId);
  for (const name of names) {
    const dataset = await scope.dataset(name);
    const status = dataset && (await scope.status(dataset.id));
    const isReady = status?.conditions.every(({ state }) => state === "ready");
    if (dataset?.status !== "ACTIVE" || !isReady) return false;
  }
  return true;
}

/** Asks for a whole new look at these networks and waits until each had it. */
async function look(plane: Plane, names: readonly string[]): Promise<void> {
  const { store, tenantId, clock } = plane;
  const scope = store.tenant(tenantId);
  const datasets = await Promise.all(names.map((name) => scope.dataset(name)));
  const ids = datasets.flatMap((dataset) => dataset?.id ?? []);
  const networks = await Promise.all(ids.map((id) => scope.network(id)));
  const asked = clock.now();
  await store.change(async (tx) => {
    for (const network of networks) if (network) await tx.wake(network.id, "fresh");
  });
  const isSeen = async (id: string) => ((await scope.status(id))?.world?.lookedAt.peerings ?? 0) >= asked;
  await until(plane, async () => (await Promise.all(ids.map(isSeen))).every(Boolean));
}

async function withPlane(settings: Partial<Settings>, work: (plane: Plane) => Promise<void>): Promise<void> {
  const plane = await openPlane({ settings: { ...PROFILES.quick, ...settings }, resyncMs: 7_200_000 });
  try {
    await plane.drive(() => work(plane));
  } finally {
    await plane.close();
  }
}

async function one(plane: Plane, name: string, most: number): Promise<void> {
  const made = await counted(plane, async () => {
    await create(plane, ["Clicks"]);
    await reached(plane, "Clicks", "ACTIVE");
  });
  report(`create, ${name}: mutating calls`, made.mutating, 44);
  report(`create, ${name}: EC2 calls`, made.ec2, most);
  report(`create, ${name}: Service Quotas and STS calls`, made.others, 12);
  await until(plane, () => atRest(plane, ["Clicks"]));
  const rest = await counted(plane, () => look(plane, ["Clicks"]));
  report(`a look at one network, ${name}: reads`, rest.ec2 - rest.mutating, 13);
  report(`a look at one network, ${name}: writes`, rest.mutating, 0);
  const gone = await counted(plane, async () => {
    await plane.intent.deleteDataset(OPERATOR, plane.tenantId, "Clicks");
    await reached(plane, "Clicks", "DELETED");
  });
  report(`delete, ${name}: mutating calls`, gone.mutating, 24);
  report(`delete, ${name}: EC2 calls`, gone.ec2, 60);
}

async function many(plane: Plane): Promise<void> {
  const names = Array.from({ length: MANY }, (_, index) => `Clicks${index}`);
  await create(plane, names);
  await until(plane, () => atRest(plane, names));
  const rest = await counted(plane, () => look(plane, names));
  report(`a look at ${MANY} networks: reads`, rest.ec2 - rest.mutating, 40);
  report(`a look at ${MANY} networks: writes`, rest.mutating, 0);
}

const times = { natDeletingMs: 60_000, signatureSkewMs: Number.MAX_SAFE_INTEGER };
await withPlane({ ...times, natPendingMs: 0 }, (plane) => one(plane, "instant NAT gateways", 75));
await withPlane({ ...times, natPendingMs: 100_000 }, (plane) => one(plane, "NAT gateways of 100 s", 90));
await withPlane({ ...times, natPendingMs: 0 }, many);
