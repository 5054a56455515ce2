/**
 * What a Lambda function's row says at a moment: its state, and what its packets leave by. Time alone brings about
 * both, so nobody who looks has to wait for a request to write them down.
 * https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 */
import type { FunctionRow } from "./serviceRows.ts";

export type FunctionState = "Pending" | "Active" | "Failed";

export function functionState(row: FunctionRow, now: number): FunctionState {
  if (row.failsAt !== undefined && row.failsAt <= now) return "Failed";
  return row.activeAt !== undefined && row.activeAt <= now ? "Active" : "Pending";
}

/** The interfaces that its packets leave by; none = it is in no VPC. */
export function leavesBy({ interfaceIds, update }: FunctionRow, now: number): readonly string[] {
  return update && update.endsAt <= now && !update.failure ? update.interfaceIds : interfaceIds;
}
