/**
 * What an operation is made of, and the parts that several of them share. One object says everything about an
 * operation that anybody outside may know: where it is mounted, who may call it, what it takes and answers, and
 * how the command line shows it. How it is done stands elsewhere.
 */
import { z } from "zod";
import * as shape from "./schemas.ts";

export type OperationId =
  | "tenants.create"
  | "tenants.list"
  | "tenants.view"
  | "tenants.update"
  | "tenants.delete"
  | "keys.create"
  | "keys.list"
  | "keys.revoke"
  | "datasets.create"
  | "datasets.list"
  | "datasets.view"
  | "datasets.delete"
  | "writeConnectors.view"
  | "writeConnectors.update"
  | "writeConnectors.reinitialize"
  | "writeConnectors.delete"
  | "vpcs.list"
  | "vpcs.probe"
  | "vpcs.viewProbe"
  | "vpcPeeringConnections.list"
  | "vpcPeeringConnections.accept"
  | "vpcPeeringConnections.delete"
  | "ranges.list"
  | "ranges.view"
  | "ranges.release"
  | "settings.view"
  | "settings.update"
  | "sweep.run"
  | "sweep.view"
  | "audit.list";

/** The least key that may call it. `operator` is an admin key of no tenant. */
export type Access = "viewer" | "member" | "admin" | "operator";

export interface Example {
  readonly what: string;
  readonly command: string;
}

/** How the command line shows an operation. */
export interface CommandShape {
  readonly path: readonly string[];
  /** The last word may be left out. */
  readonly short?: true;
  /** Columns of the table output, as dotted paths into an item. */
  readonly columns: readonly string[];
  readonly examples: readonly Example[];
  /** The body is read from the file this flag names. */
  readonly bodyFile?: string;
  /** Fields of the body that are read from a file, and the flags that name it. */
  readonly fileFlags?: Readonly<Record<string, string>>;
  /** What `--wait` looks at until it is done. */
  readonly wait?: Wait;
  /** An answer that is no success, though the request was one: it is printed, and the exit code is a conflict's. */
  readonly outcome?: Outcome;
}

export interface Outcome {
  readonly field: string;
  readonly good: readonly string[];
  /** Fields that say what it was, and what to do. */
  readonly told: string;
  readonly hint: string;
}

export interface Wait {
  readonly operation: OperationId;
  /** Where it stands, by a field of the answer; `items` are searched by `match`. */
  readonly field: string;
  readonly done: readonly string[];
  readonly failed: readonly string[];
  /** In a list answer, the item whose field equals this input. */
  readonly match?: string;
  /** Asked for again while it stands so, it is refused as a conflict; `--wait` then takes up the waiting. */
  readonly underWay?: readonly string[];
  /** It is waited for without being asked. */
  readonly always?: true;
  /** The field that names what is waited for; the dataset's name when left out. */
  readonly subject?: string;
  /** A 404 on the way means done. */
  readonly goneIsDone?: boolean;
  readonly defaultTimeoutSeconds: number;
}

export interface Operation {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly access: Access;
  /** Works on one tenant's things; the operator names the tenant by `tenantName`. */
  readonly tenantScoped: boolean;
  readonly status: 200 | 201 | 202;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: z.ZodObject | null;
  readonly answer: z.ZodObject;
  /** What it answers, with status 200, when the query has `dryRun=true`: nothing is written then. */
  readonly dryRun?: z.ZodObject;
  /** Takes an Idempotency-Key header. */
  readonly idempotent: boolean;
  readonly command: CommandShape;
}

/** No fields: for a part of the request that an operation does not use. */
export const none = z.object({});
export const forTenant = {
  tenantName: shape.tenantName
    .optional()
    .describe("The tenant to act for (operator keys; default: `default`)"),
};
export const inDataset = z.object({ datasetName: shape.datasetName });
export const ofPeering = z.object({
  datasetName: shape.datasetName,
  vpcPeeringConnectionId: shape.connectionId,
});

/** Keeps the literal types of an operation, so that inputs and answers can be inferred. */
export function define<const O extends Operation>(operation: O): O {
  return operation;
}
