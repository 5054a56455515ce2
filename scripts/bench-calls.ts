/**
 * `npm run bench:calls`: how many calls AWS would see, counted from the sandbox's own request log, retries
 * included: creating one network (instant NAT gateways, and such that take 100 s), a look at one at rest, a look
 * at a hundred of one cell, deleting one. Service Quotas and STS are printed apart. One JSON line a figure;
 * exits 1 beyond a limit.
 */
import type { LoggedRequest } from "../src/sandbox/requestLog.ts";
import { CUSTOMER, fastClock, type House, OPERATOR, openHouse } from "../tests/support/house.ts";

const MANY = 100;
const operator = OPERATOR;

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

async function counted(house: House, work: () => Promise<unknown>): Promise<Count> {
  await fetch(`${house.sandboxUrl}/_sandbox/requests`, { method: "DELETE" });
  await work();
  const answer = await fetch(`${house.sandboxUrl}/_sandbox/requests?since=0`);
  const { requests } = (await answer.json()) as { requests: LoggedRequest[] };
  const ec2 = requests.filter(({ service }) => service === "ec2");
  if (process.env.DEBUG) {
    const names = new Map<string, number>();
    for (const { operation } of ec2) names.set(operation, (names.get(operation) ?? 0) + 1);
    console.error(
      [...names]
        .sort()
        .map(([name, count]) => `${name} ${count}`)
        .join("\n"),
    );
  }
  return {
    mutating: ec2.filter(({ mutating }) => mutating).length,
    ec2: ec2.length,
    others: requests.length - ec2.length,
  };
}

async function create(house: House, datasetName: string): Promise<void> {
  await house.api.call("datasets.create", {
    datasetName,
    region: "us-east-1",
    customerAccountForAccess: CUSTOMER,
    writeConnector: { connectorDestination: "Kafka" },
  });
}

function reached(house: House, datasetName: string, status: string): Promise<unknown> {
  return house.until(
    `${datasetName} ${status}`,
    async () => (await house.api.call("datasets.view", { datasetName })).status === status,
    3_600_000,
  );
}

/** Asks for a whole new look at these networks and waits until each had it. */
async function look(house: House, datasetNames: readonly string[]): Promise<void> {
  const tenant = await house.store.tenantByName("default");
  const scope = house.store.tenant(tenant?.id ?? "");
  const datasets = await Promise.all(datasetNames.map((name) => scope.dataset(name)));
  const ids = datasets.flatMap((dataset) => dataset?.id ?? []);
  const networks = await Promise.all(ids.map((id) => scope.network(id)));
  const asked = house.clock.now();
  await house.store.change(async (tx) => {
    for (const network of networks) if (network) await tx.wake(network.id, "fresh");
  });
  await house.until("looked at", async () => {
    const statuses = await Promise.all(ids.map((id) => scope.status(id)));
    return statuses.every((status) => (status?.world?.lookedAt.peerings ?? 0) >= asked);
  });
}

async function one(natPendingMs: number, most: number): Promise<void> {
  const house = await openHouse({ sandbox: { natPendingMs, natDeletingMs: 60_000 }, resyncMs: 3_600_000 });
  try {
    const name = natPendingMs === 0 ? "instant NAT gateways" : `NAT gateways of ${natPendingMs / 1000} s`;
    const made = await counted(house, async () => {
      await create(house, "Clicks");
      await reached(house, "Clicks", "ACTIVE");
    });
    report(`create, ${name}: mutating calls`, made.mutating, 44);
    report(`create, ${name}: EC2 calls`, made.ec2, most);
    report(`create, ${name}: Service Quotas and STS calls`, made.others, 12);
    const rest = await counted(house, () => look(house, ["Clicks"]));
    report(`a look at one network, ${name}: reads`, rest.ec2 - rest.mutating, 13);
    report(`a look at one network, ${name}: writes`, rest.mutating, 0);
    const gone = await counted(house, async () => {
      await house.api.call("datasets.delete", { datasetName: "Clicks" });
      await reached(house, "Clicks", "DELETED");
    });
    report(`delete, ${name}: mutating calls`, gone.mutating, 24);
    report(`delete, ${name}: EC2 calls`, gone.ec2, 60);
  } finally {
    await house.close();
  }
}

async function many(): Promise<void> {
  const house = await openHouse({ clock: fastClock(40), sandbox: { natPendingMs: 0 }, resyncMs: 7_200_000 });
  try {
    const tenant = await house.store.tenantByName("default");
    await house.intent.updateTenant(operator, tenant?.id ?? "", { rangeLimit: 64 });
    const names = Array.from({ length: MANY }, (_, index) => `Clicks${index}`);
    for (const name of names) await create(house, name);
    for (const name of names) await reached(house, name, "ACTIVE");
    const rest = await counted(house, () => look(house, names));
    report(`a look at ${MANY} networks: reads`, rest.ec2 - rest.mutating, 40);
    report(`a look at ${MANY} networks: writes`, rest.mutating, 0);
  } finally {
    await house.close();
  }
}

await one(0, 75);
await one(100_000, 90);
await many();
