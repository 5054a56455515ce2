/**
 * What a handler gets and gives. The types follow from the table of operations: a handler of a tenant's
 * operation has the tenant, one of a dataset's path has the dataset, and both were seen by this key.
 */
import type {
  AnswerOf,
  BodyOf,
  DryRunOf,
  OperationId,
  operations,
  ParamsOf,
  QueryOf,
} from "../contract/operations.ts";
import type { Actor, Intent, Once } from "../control/intent.ts";
import type { PriceTable } from "../control/outlook.ts";
import type { Clock, Dataset, Tenant } from "../domain/model.ts";
import type { Store } from "../store/store.ts";

/** What all handlers share. */
export interface House {
  readonly store: Store;
  readonly intent: Intent;
  readonly clock: Clock;
  /** The table that is built in, unless another is given. */
  readonly prices?: PriceTable;
  readonly platform: {
    /** Where the sandbox cloud is, when it stands in for AWS. */
    readonly sandboxUrl?: string;
  };
}

type Table = typeof operations;
type TenantOf<Id extends OperationId> = Table[Id]["tenantScoped"] extends true
  ? Tenant
  : ParamsOf<Id> extends { tenantName: string }
    ? Tenant
    : null;
type DatasetOf<Id extends OperationId> = ParamsOf<Id> extends { datasetName: string } ? Dataset : null;

export interface Call<Id extends OperationId> {
  readonly actor: Actor;
  readonly tenant: TenantOf<Id>;
  readonly dataset: DatasetOf<Id>;
  readonly params: ParamsOf<Id>;
  readonly query: QueryOf<Id>;
  readonly body: BodyOf<Id>;
  /** Set when the caller sent an Idempotency-Key and the operation takes one. */
  readonly once: Once | undefined;
}

export type Handler<Id extends OperationId> = (
  house: House,
  call: Call<Id>,
) => Promise<AnswerOf<Id> | DryRunOf<Id>>;

/** Handlers of some operations; all of them together must be the whole table. */
export type Handlers<Ids extends OperationId> = { readonly [Id in Ids]: Handler<Id> };
