/** Who asks, and what they may ask for: the words of a wish. */
import type { Region, Role, WriteConnector } from "../domain/model.ts";

/** An actor without a tenant is the operator. */
export interface Actor {
  readonly keyId: string;
  readonly keyName: string;
  readonly role: Role;
  readonly tenantId: string | null;
}

/** A create that is asked twice with the same key gets the answer of the first. */
export interface Once {
  readonly key: string;
  /** SHA-256 of the request in hex; another request with the same key is a conflict. */
  readonly requestHash: string;
}

export interface DatasetRequest {
  readonly name: string;
  readonly region: Region;
  readonly customerAccountForAccess: string;
  readonly writeConnector: WriteConnector;
  readonly functionArns: readonly string[];
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** One peering connection of one dataset. */
export interface PeeringName {
  readonly datasetName: string;
  readonly connectionId: string;
}
