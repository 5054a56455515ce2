/**
 * Words of those who keep a cluster's brokers: what they are given, and what the fleet asks of them. A keeper is
 * level-triggered: it is handed the cluster's row after each change and when it asked to be, and does what is next.
 */
import type { Cloud } from "../cloud.ts";
import type { DataPlane } from "../dataplane/dataPlane.ts";
import type { ClusterRow } from "../serviceRows.ts";
import type { Clock } from "../world.ts";
import type { Authority } from "./authority.ts";

export interface KeeperRoom {
  readonly clock: Clock;
  readonly plane: DataPlane;
  readonly cloud: Pick<Cloud, "tables" | "settings" | "noteBrokers" | "noteTopics">;
  readonly authority: Authority;
  /** Of all clusters' files. */
  readonly folder: string;
  readonly log: (line: string) => void;
  /** Something has changed that the keeper wants to be asked about. */
  readonly wake: () => void;
}

export interface ShownBroker {
  readonly name: string;
  readonly state: "starting" | "serving" | "ended" | "listening" | "closed";
  /** Epoch milliseconds. */
  readonly since: number;
  readonly pid?: number;
  readonly why?: string;
}

export interface Keeper {
  /** The hosts of all its brokers are there. Epoch milliseconds of when it wants to be asked again at the latest. */
  match(row: ClusterRow): Promise<number | undefined>;
  shown(): readonly ShownBroker[];
  /** What a broker said last; undefined when it is none of this keeper's. */
  log(name: string): readonly string[] | undefined;
  /** Ends a broker without a word to it; false when it is none of this keeper's or does not run. */
  kill(name: string): Promise<boolean>;
  /** The cluster goes, or the sandbox stops. Resolves when nothing of it runs. */
  end(): Promise<void>;
}
