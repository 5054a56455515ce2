/**
 * `letsdata sandbox trace`: follows one packet through the sandbox and says what let it pass and what dropped it.
 */

import type { Story } from "../dataplane/trace.ts";
import type { Step } from "../dataplane/traceEvidence.ts";
import { CommandError } from "../errors.ts";
import { type CommandContext, isJson, OUTPUT, SANDBOX_URL, type SandboxCommand } from "./command.ts";
import { ask } from "./sandboxClient.ts";

interface TraceOptions {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port?: string;
  readonly sandboxUrl?: string;
  readonly output?: string;
}

interface Traced extends Story {
  readonly protocol: string;
  readonly port?: number;
  readonly from: { readonly hostId: string; readonly address: string };
  readonly to: { readonly hostId?: string; readonly address: string };
}

/** The exit code for a packet that was dropped: the trace itself went well. */
const DROPPED = 1;

async function follow(context: CommandContext, options: TraceOptions): Promise<number> {
  const { from, to, protocol, port } = options;
  const asked = { from, to, protocol, ...(port === undefined ? {} : { port: portOf(port) }) };
  const story = await ask<Traced>(context.sandboxUrl(options.sandboxUrl), "dataplane/trace", asked);
  if (isJson(context, options.output)) context.print(JSON.stringify(story));
  else context.print(await told(context, story));
  return story.arrived ? 0 : DROPPED;
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new CommandError("invalid", `PORT is "${text}", but a port is a number from 1 to 65535`);
}

async function told({ table }: CommandContext, story: Traced): Promise<string> {
  const { from, to, protocol, port = "", steps, back } = story;
  const parts = [
    `${`${protocol} ${port}`.trim()} from ${from.hostId} (${from.address}) to ${to.address}${to.hostId ? ` (${to.hostId})` : ""}`,
    await table(HEAD, steps.map(rowOf)),
    ...(back.length > 0 ? ["its answer", await table(HEAD, back.map(rowOf))] : []),
    verdictOf(story),
  ];
  return parts.map((part) => part.trimEnd()).join("\n\n");
}

const HEAD = ["where", "check", "verdict", "by", "what it says"];

function rowOf({ place, check, verdict, by, says }: Step): string[] {
  return [place, check, verdict === "dropped" ? "DROPPED" : verdict, by ?? "-", says];
}

function verdictOf({ arrived, answered, steps, back }: Traced): string {
  if (!arrived) return `dropped: ${blame(steps)}`;
  if (answered) return "arrived, and was answered";
  return back.length > 0 ? `arrived, but its answer was dropped: ${blame(back)}` : "arrived";
}

function blame(steps: readonly Step[]): string {
  const last = steps.at(-1);
  return last ? `${last.check} at ${last.place}: ${last.says}` : "nobody knows where";
}

export const traceCommand: SandboxCommand<TraceOptions> = {
  name: "trace",
  brief: "Follow one packet, and see what lets it pass or drops it",
  description:
    "Sends one real packet from a host and follows it by the kernel's own counters: through each router with the route, the network ACL's entry and the security group's rule that let it pass, to where it arrives or to what drops it; then its answer, if there is one. For TCP it is the first packet of a connection, for ICMP an echo request; whether anything listens on the port does not matter. " +
    "Exits with 0 when the packet arrived, with 1 when it was dropped.",
  examples: [
    {
      what: "Why does the customer's instance not reach the broker?",
      command: "letsdata sandbox trace i-0123456789abcdef0 10.2.0.4 tcp 9092",
    },
    { what: "A ping from outside", command: "letsdata sandbox trace internet 198.18.0.1 icmp" },
  ],
  options: [SANDBOX_URL, OUTPUT],
  words: [
    { name: "from", placeholder: "FROM", brief: "The host that sends: any of its names" },
    { name: "to", placeholder: "TO", brief: "A host, or any address" },
    {
      name: "protocol",
      placeholder: "PROTOCOL",
      brief: "tcp, udp or icmp",
      values: ["tcp", "udp", "icmp"],
    },
    { name: "port", placeholder: "PORT", brief: "Of TCP and UDP", optional: true },
  ],
  run: follow,
};
