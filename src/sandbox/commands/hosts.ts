/**
 * `letsdata sandbox hosts`: what has a network stack of its own in the sandbox, with its addresses.
 */
import type { ShownHost } from "../dataplane/hostList.ts";
import { type CommandContext, isJson, OUTPUT, SANDBOX_URL, type SandboxCommand } from "./command.ts";
import { hostsOf } from "./sandboxClient.ts";

interface HostsOptions {
  readonly sandboxUrl?: string;
  readonly output?: string;
}

async function list(context: CommandContext, options: HostsOptions): Promise<void> {
  const hosts = await hostsOf(context.sandboxUrl(options.sandboxUrl));
  if (isJson(context, options.output)) context.print(JSON.stringify({ items: hosts }));
  else context.print((await context.table(HEAD, hosts.map(rowOf))).trimEnd());
}

const HEAD = ["host", "kind", "account", "region", "vpc", "addresses"];

function rowOf({ id, kind, account, region, vpcId, addresses }: ShownHost): string[] {
  const all = addresses.map(({ privateIp, publicIp }) =>
    publicIp ? `${privateIp} (${publicIp})` : privateIp,
  );
  return [id, kind, account ?? "-", region ?? "-", vpcId ?? "-", all.join(", ") || "-"];
}

export const hostsCommand: SandboxCommand<HostsOptions> = {
  name: "hosts",
  brief: "List the hosts that have packets",
  description:
    "Running instances, available NAT gateways, brokers of clusters and interfaces that functions leave by, each with its private addresses and, in parentheses, the public address that is mapped to it; and internet, which stands for everything outside. exec, forward and trace take a host by any of its names: instance, NAT gateway or interface id, a broker's name, private or public address, internet; where an address is in several VPCs, vpc-…/address.",
  examples: [
    { what: "", command: "letsdata sandbox hosts" },
    { what: "", command: "letsdata sandbox hosts --sandboxUrl http://127.0.0.1:4599 --output json" },
  ],
  options: [SANDBOX_URL, OUTPUT],
  run: list,
};
