/**
 * The functions of one sandbox, put together: who runs them, and where.
 */
import path from "node:path";
import type { Cloud } from "../cloud.ts";
import type { DataPlane } from "../dataplane/dataPlane.ts";
import type { Clock } from "../world.ts";
import { Runner } from "./runner.ts";

export interface FunctionsOptions {
  readonly clock: Clock;
  readonly cloud: Cloud;
  readonly dataPlane: DataPlane | undefined;
  /** Of all files of the sandbox; made by who first writes there. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

export function openFunctions({ dataPlane, folder, ...options }: FunctionsOptions): Runner {
  const plane = dataPlane?.status().status === "on" ? dataPlane : undefined;
  const runner = new Runner({ ...options, plane, folder: path.join(folder, "functions") });
  options.cloud.functions = runner;
  runner.start();
  return runner;
}
