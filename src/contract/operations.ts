/**
 * Every operation of the API, declared once. The server mounts this table, the OpenAPI document and the
 * command line are made from it, and a test walks it for permissions: an operation that is not here does not
 * exist. Promises nothing about how an operation is done.
 */
import type { z } from "zod";
import { auditOperations } from "./audit.ts";
import { datasetsOperations } from "./datasets.ts";
import type { Access, CommandShape, Example, Operation, OperationId, Wait } from "./define.ts";
import { keysOperations } from "./keys.ts";
import { probeOperations } from "./probes.ts";
import { rangesOperations } from "./ranges.ts";
import { settingsOperations } from "./settings.ts";
import { sweepOperations } from "./sweep.ts";
import { tenantsOperations } from "./tenants.ts";
import { vpcsOperations } from "./vpcs.ts";
import { writeConnectorsOperations } from "./writeConnectors.ts";

export type { Access, CommandShape, Example, Operation, OperationId, Wait };

export const operations = {
  ...tenantsOperations,
  ...keysOperations,
  ...datasetsOperations,
  ...writeConnectorsOperations,
  ...vpcsOperations,
  ...probeOperations,
  ...rangesOperations,
  ...settingsOperations,
  ...sweepOperations,
  ...auditOperations,
} as const satisfies Record<OperationId, Operation>;

type Table = typeof operations;
export type ParamsOf<Id extends OperationId> = z.output<Table[Id]["params"]>;
export type QueryOf<Id extends OperationId> = z.output<Table[Id]["query"]>;
export type BodyOf<Id extends OperationId> = Table[Id]["body"] extends z.ZodObject
  ? z.output<Table[Id]["body"]>
  : null;
export type AnswerOf<Id extends OperationId> = z.output<Table[Id]["answer"]>;
/** What a dry run answers; nothing for an operation that has none. */
export type DryRunOf<Id extends OperationId> = Table[Id] extends {
  readonly dryRun: infer Plan extends z.ZodObject;
}
  ? z.output<Plan>
  : never;
/** What a caller passes: path, query and body fields in one object. */
export type InputOf<Id extends OperationId> = Given<Table[Id]["params"]> &
  Given<Table[Id]["query"]> &
  (Table[Id]["body"] extends z.ZodObject ? Given<Table[Id]["body"]> : unknown);
/** zod reads an object without fields as one that can have none, which no other part could be joined to. */
type Given<Part extends z.ZodObject> = keyof Part["shape"] extends never ? unknown : z.input<Part>;

/** The table with its general type, for those who walk it. */
export const allOperations: ReadonlyMap<OperationId, Operation> = new Map(
  Object.entries(operations) as [OperationId, Operation][],
);
