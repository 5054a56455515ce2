/**
 * `letsdata sandbox doctor`: whether this machine can carry packets, and what would have to be done.
 */
import type { Judgement } from "../dataplane/doctor.ts";
import { type CommandContext, isJson, OUTPUT, type SandboxCommand } from "./command.ts";

interface DoctorOptions {
  readonly output?: string;
}

/** The exit code for a machine without packets: it is no error of the command's. */
const CONTROL_PLANE_ONLY = 3;

async function examine(context: CommandContext, { output }: DoctorOptions): Promise<number> {
  const { examination } = await import("../dataplane/examination.ts");
  const checks: Judgement[] = [];
  for await (const judgement of examination(context.clock)) {
    checks.push(judgement);
    if (!isJson(context, output)) context.print(lineOf(judgement));
  }
  const isOn = checks.every(({ verdict }) => verdict !== "failed");
  if (isJson(context, output)) context.print(JSON.stringify({ packets: isOn ? "on" : "off", checks }));
  else context.print(isOn ? CAN : CANNOT);
  return isOn ? 0 : CONTROL_PLANE_ONLY;
}

const CAN = "Hosts of the sandbox have packets here.";
const CANNOT =
  "No packets here: the sandbox is a control plane only. It answers all the same, but nothing is proven by traffic.";

function lineOf({ check, verdict, says, fix }: Judgement): string {
  const line = `${verdict.padEnd(7)}  ${check}: ${says}`;
  return fix === null ? line : `${line}\n         mend it: ${fix}`;
}

export const doctorCommand: SandboxCommand<DoctorOptions> = {
  name: "doctor",
  brief: "Check whether this machine can carry packets",
  description:
    "Hosts of the sandbox have packets of their own where the kernel and its tools allow it: Linux with user and network namespaces, nftables, iproute2 and util-linux; no root is needed. This tries one thing after another, stops at the first that fails and says the command that mends it; at last it builds the smallest VPC and connects to a port that a security group allows and to one that none allows. " +
    "Exits with 0 when there are packets, with 3 when the sandbox would be a control plane only.",
  examples: [
    { what: "", command: "letsdata sandbox doctor" },
    { what: "", command: "letsdata sandbox doctor --output json" },
  ],
  options: [OUTPUT],
  run: examine,
};
