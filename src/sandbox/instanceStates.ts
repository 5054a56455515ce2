/**
 * Where an instance stands, read from its row's moments.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
 *
 *   pending ──▶ running ──TerminateInstances──▶ shutting-down ──▶ terminated (visible for an hour)
 */
import type { InstanceRow } from "./rows.ts";

/** The states an instance of the sandbox has, with AWS's code: there is no stopping. */
export const INSTANCE_CODES = { pending: 0, running: 16, "shutting-down": 32, terminated: 48 } as const;

export type InstanceState = keyof typeof INSTANCE_CODES;

export function instanceState(row: InstanceRow, now: number): InstanceState {
  if (row.terminatedAt !== undefined && row.terminatedAt <= now) return "terminated";
  if (row.terminateAskedAt !== undefined && row.terminateAskedAt <= now) return "shutting-down";
  return row.runningAt <= now ? "running" : "pending";
}
