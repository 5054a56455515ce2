/**
 * Wishes about datasets and their ranges. Creating takes the range in the same transaction that writes the
 * dataset, under the tenant's row lock, so that two creates never see the same free block.
 */
import type { Cidr } from "../domain/cidr.ts";
import { Failure } from "../domain/failure.ts";
import { functionArn } from "../domain/kafka.ts";
import type { Clock, Dataset, DatasetRange, Region } from "../domain/model.ts";
import type { Store, Tx } from "../store/store.ts";
import type { Actor, DatasetRequest, Once } from "./actor.ts";
import { takeRange } from "./addresses.ts";
import { onceOver } from "./once.ts";
import { by } from "./people.ts";

export interface DatasetDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Where new networks of a region go. */
  readonly cellOf: (region: Region) => Promise<{ account: string; roleArn: string | null }>;
}

export interface Datasets {
  createDataset(actor: Actor, tenantId: string, request: DatasetRequest, once?: Once): Promise<Dataset>;
  deleteDataset(actor: Actor, tenantId: string, name: string): Promise<Dataset>;
  endQuarantine(actor: Actor, tenantId: string, cidr: Cidr): Promise<DatasetRange>;
}

/** Only Kafka lives in a VPC of ours; the customer's own cluster lives in the customer's. */
export function needsVpc({
  connectorDestination,
  resourceLocation,
}: Pick<Dataset["writeConnector"], "connectorDestination" | "resourceLocation">): boolean {
  return connectorDestination === "Kafka" && resourceLocation === "letsdata";
}

export function datasets(deps: DatasetDeps): Datasets {
  const { store } = deps;
  return {
    async createDataset(actor, tenantId, request, once) {
      const cell = needsVpc(request.writeConnector) ? await deps.cellOf(request.region) : null;
      return onceOver(store, { scope: tenantId, operation: "datasets.create", once }, (tx) =>
        insertDataset(tx, { deps, actor, tenantId, request, cell }),
      );
    },

    deleteDataset: (actor, tenantId, name) =>
      store.change(async (tx) => {
        const dataset = await tx.tenant(tenantId).dataset(name);
        if (!dataset || dataset.status === "DELETED") throw noDataset(name);
        if (dataset.status === "DELETING")
          throw new Failure("conflict", `Dataset ${name} is already being deleted`, {
            hint:
              `See how far it is: letsdata datasets view --datasetName ${name} ; ` +
              `wait for its end: letsdata datasets delete --datasetName ${name} --wait`,
          });
        const deleted = await tx.askDelete(dataset.id);
        const network = await tx.tenant(tenantId).network(dataset.id);
        if (network) await tx.wake(network.id);
        await tx.writeAudit({
          ...by(actor),
          tenantId,
          action: "datasets.delete",
          subject: `dataset/${name}`,
          detail: { datasetId: dataset.id },
        });
        return deleted;
      }),

    endQuarantine: (actor, tenantId, cidr) =>
      store.change(async (tx) => {
        const range = await tx.endQuarantine(tenantId, cidr);
        if (!range)
          throw new Failure("notFound", `No range ${cidr} rests in quarantine`, {
            hint: "See: letsdata ranges list",
          });
        await tx.writeAudit({
          ...by(actor),
          tenantId,
          action: "ranges.release",
          subject: `range/${cidr}`,
          detail: {},
        });
        return range;
      }),
  };
}

export function noDataset(name: string): Failure {
  return new Failure("notFound", `There is no dataset ${name}`, { hint: "See: letsdata datasets list" });
}

/** The tenant's row is held: no other create can take the name meanwhile. */
async function refuseTaken(tx: Tx, tenantId: string, name: string): Promise<void> {
  const taken = await tx.tenant(tenantId).dataset(name);
  if (!taken || taken.status === "DELETED") return;
  throw new Failure("conflict", `Dataset ${name} exists already (${taken.status})`, {
    hint:
      taken.status === "DELETING"
        ? "Its name is free again once it is DELETED: try again then, or choose another name."
        : `Choose another name, or look at it: letsdata datasets view --datasetName ${name}`,
  });
}

/** A function's interfaces are its own account's, and so must the subnets be. */
function refuseForeignFunctions(arns: readonly string[], account: string): void {
  const foreign = arns.find((arn) => functionArn(arn)?.account !== account);
  if (foreign === undefined) return;
  throw new Failure("invalid", `computeEngine.functionArns: ${foreign} is not in account ${account}`, {
    hint: "The dataset's VPC is in that account, and a function can be attached to VPCs of its own account only.",
  });
}

export interface Insertion {
  readonly deps: DatasetDeps;
  readonly actor: Actor;
  readonly tenantId: string;
  readonly request: DatasetRequest;
  readonly cell: { account: string; roleArn: string | null } | null;
}

/** The dataset with its range and network, in the caller's transaction, woken and audited. */
export async function insertDataset(
  tx: Tx,
  { deps, actor, tenantId, request, cell }: Insertion,
): Promise<Dataset> {
  const tenant = await tx.lockTenant(tenantId);
  if (!tenant) throw new Failure("notFound", "There is no such tenant");
  await refuseTaken(tx, tenantId, request.name);
  if (cell) refuseForeignFunctions(request.functionArns, cell.account);
  const dataset = await tx.insertDataset({ tenantId, ...request, status: cell ? "CREATING" : "ACTIVE" });
  const detail: Record<string, unknown> = { datasetId: dataset.id };
  if (cell) {
    const { vpcSize: size, vpcCidrBlock: wanted } = request.writeConnector;
    const settings = await tx.settings();
    const range = await takeRange(tx, {
      tenant,
      datasetId: dataset.id,
      size,
      wanted,
      settings,
      now: deps.clock.now(),
    });
    const place = await tx.cellFor({ ...cell, region: request.region });
    const network = await tx.insertNetwork({
      tenantId,
      datasetId: dataset.id,
      cell: place,
      size,
      cidr: range.cidr,
    });
    await tx.wake(network.id);
    detail.cidrBlock = range.cidr;
  }
  await tx.writeAudit({
    ...by(actor),
    tenantId,
    action: "datasets.create",
    subject: `dataset/${dataset.name}`,
    detail,
  });
  return dataset;
}
