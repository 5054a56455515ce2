/** The sandbox's own requests and answers, under `/_sandbox/`: see admin.ts. */
import type { Brokers } from "./brokers/room.ts";
import type { Cloud } from "./cloud.ts";
import type { DataPlane } from "./dataplane/dataPlane.ts";
import type { Runner } from "./functions/runner.ts";

/** What is administered. */
export interface Administered {
  readonly cloud: Cloud;
  /** undefined when no packets were asked for. */
  readonly dataPlane: DataPlane | undefined;
  readonly brokers: Brokers;
  readonly functions: Runner;
}

export interface AdminRequest {
  readonly method: string;
  /** What follows `/_sandbox/`, decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

export interface AdminAnswer {
  readonly status: number;
  /** undefined = nothing to say. */
  readonly value?: object;
}
