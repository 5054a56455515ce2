/**
 * What becomes of a dataset whose write connector is deleted, made again or changed, while the dataset stays.
 * Promises that the network's row is locked first, as everywhere in this room. Refuses nothing: who may ask for
 * what, and when, is decided by who asks.
 */
import { Failure } from "../domain/failure.ts";
import type { Dataset } from "../domain/model.ts";
import { datasetById } from "./datasets.ts";
import { lockNetworkOf, wantAbsent } from "./networks.ts";
import { json, type Session } from "./tables.ts";

export async function askConnectorDelete(session: Session, datasetId: string): Promise<Dataset> {
  const networkId = await lockNetworkOf(session, datasetId);
  if (networkId !== null) await wantAbsent(session, networkId);
  return setStatus(session, datasetId, "INACTIVE");
}

export async function askConnector(session: Session, datasetId: string): Promise<Dataset> {
  await lockNetworkOf(session, datasetId);
  return setStatus(session, datasetId, "CREATING");
}

export async function updateConnector(
  session: Session,
  datasetId: string,
  connector: Dataset["writeConnector"],
): Promise<Dataset> {
  await lockNetworkOf(session, datasetId);
  await session.db
    .updateTable("dataset")
    .set({ writeConnector: json(connector) })
    .where("id", "=", datasetId)
    .execute();
  return known(session, datasetId);
}

async function setStatus(
  session: Session,
  datasetId: string,
  status: "INACTIVE" | "CREATING",
): Promise<Dataset> {
  await session.db
    .updateTable("dataset")
    .set({ status })
    .where("id", "=", datasetId)
    .where("status", "not in", ["DELETING", "DELETED"])
    .execute();
  return known(session, datasetId);
}

async function known(session: Session, datasetId: string): Promise<Dataset> {
  const dataset = await datasetById(session, datasetId);
  if (dataset) return dataset;
  throw new Failure("notFound", "There is no such dataset");
}
