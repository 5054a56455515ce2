/**
 * One random topology with packets in it: made by calls, then struck by mishaps, then asked both the model and the
 * packets. Promises that what is reported as a disagreement bears all that is needed to look into it: the seed,
 * the flow, and what either of them says.
 */
import type { DataPlane, DataPlaneOptions } from "../../src/sandbox/dataplane/dataPlane.ts";
import { startSandbox, type TestSandbox } from "../../src/sandbox/testing.ts";
import { type Ec2State, readState } from "./ec2State.ts";
import { flowsOf, forgedBy, guestsOf, SERVED, type Wanted } from "./flows.ts";
import { ALIAS, type Made } from "./made.ts";
import { CIRCLES, type Flow, type Verdict, verdictOf } from "./model.ts";
import { type Observed, type Probes, startProbes } from "./probes.ts";
import { ACCOUNTS, makeTopology, REGIONS } from "./topologies.ts";
import { letThingsHappen } from "./topologyMishaps.ts";

/** Why no packets can be had here, for a test to be skipped with; false when they can. */
export async function whyNoPackets(): Promise<string | false> {
  const sandbox = await startSandbox({ packets: true });
  const status = sandbox.dataPlane?.status() ?? { status: "off", why: "they were not asked for" };
  await sandbox.close();
  return status.status === "off" && `NO PACKETS HERE, nothing is shown about them: ${status.why}`;
}

export interface Disagreement {
  readonly flow: Wanted;
  readonly text: string;
}

export interface Ground {
  readonly plane: DataPlane;
  /** More flows for the topology, from hosts that run. */
  flows(count: number): Wanted[];
  /** Tries them all at once; `comesMs` is how long what is expected to come is waited for. */
  compare(flows: readonly Wanted[], comesMs?: number): Promise<Disagreement[]>;
  close(): Promise<void>;
}

/** Rejects when there can be no packets here. */
export async function openGround(seed: number, programs?: DataPlaneOptions["programs"]): Promise<Ground> {
  const sandbox = await startSandbox({
    packets: true,
    log: console.error,
    ...(programs ? { programs } : {}),
  });
  try {
    return await furnish(sandbox, seed);
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

async function furnish(sandbox: TestSandbox, seed: number): Promise<Ground> {
  const plane = sandbox.dataPlane;
  if (plane?.status().status !== "on") throw new Error("there is no data plane");
  const made = await makeTopology(sandbox, seed);
  await plane.settled();
  await letThingsHappen(made);
  await plane.settled();
  const places = ACCOUNTS.flatMap((account) => REGIONS.map((region) => sandbox.client(account, region)));
  const state = await readState(places);
  const hosts = runningIn(state);
  const probes = await populate(plane, made, hosts);
  const comparison = { seed, made, state, probes };
  let sourcePort = FIRST_PORT;
  return {
    plane,
    flows: (count) =>
      flowsOf(made, state, count).filter(({ from }) => from === "internet" || hosts.includes(from)),
    async compare(flows, comesMs = COMES_MS) {
      const tried = flows.map((flow) => tryOne(comparison, { ...flow, sourcePort: sourcePort++ }, comesMs));
      return (await Promise.all(tried)).flat();
    },
    async close() {
      await probes.close();
      await sandbox.close();
    },
  };
}

function runningIn({ Instances }: Ec2State): string[] {
  return Instances.flatMap((one) => (one.State?.Name === "running" ? (one.InstanceId ?? []) : []));
}

/** A prober in every host; any of them can forge, and some forward. */
async function populate(plane: DataPlane, made: Made, hosts: readonly string[]): Promise<Probes> {
  const aliases = (id: string) => (made.forwarding.includes(id) ? [ALIAS] : []);
  await Promise.all(hosts.map((id) => plane.run(equipment(forgedBy(made, id), aliases(id)), id)));
  const inhabited = hosts.map((id) => [id, aliases(id)] as const);
  return startProbes(plane, { namespaces: new Map([["internet", []], ...inhabited]), ports: SERVED });
}

function equipment(forged: string, aliases: readonly string[]): string {
  const own = [forged, ...aliases].map((address) => `ip addr add ${address}/32 dev lo`);
  const isForwarder = aliases.length > 0;
  return ["set -e", ...own, ...(isForwarder ? FORWARD : []), ""].join("\n");
}

const FORWARD = [
  "echo 0 > /proc/sys/net/ipv4/conf/all/send_redirects",
  "echo 1 > /proc/sys/net/ipv4/ip_forward",
];

/** A port is used once: the kernel remembers connections for a while. All are among those Linux itself takes. */
const FIRST_PORT = 33_000;

/** What is expected to be lost is waited for that long; what is to come, as long as a busy machine may need. */
const LOST_MS = 350;
const COMES_MS = 20_000;

interface Comparison {
  readonly seed: number;
  readonly made: Made;
  readonly state: Ec2State;
  readonly probes: Probes;
}

async function tryOne(comparison: Comparison, flow: Flow, comesMs: number): Promise<Disagreement[]> {
  const verdict = verdictOf(comparison.state, flow, guestsOf(comparison.made));
  const isSilent = verdict.kind === "silent";
  const { forged, ...way } = flow;
  const probe = forged === undefined ? way : { ...way, sourceAddress: forged };
  const observed = await comparison.probes.probe(probe, {
    answerMs: isSilent ? LOST_MS : comesMs,
    arrivalMs: isSilent && !verdict.arrives ? 0 : comesMs,
  });
  if (agrees(flow, verdict, observed)) return [];
  return [{ flow, text: sentence(comparison, { flow, verdict, observed }) }];
}

function agrees({ protocol }: Flow, verdict: Verdict, observed: Observed): boolean {
  const { outcome, seen, heard } = observed;
  if (verdict.kind === "silent")
    return isSilence(observed, verdict) && (heard === undefined || heard === verdict.arrives);
  if (outcome !== verdict.kind) return false;
  return verdict.kind !== "answered" || protocol === "icmp" || seen === verdict.seen;
}

/** Hosts that forward in a circle say in the end that a packet has lived too long. */
function isSilence({ outcome }: Observed, { reason }: Extract<Verdict, { kind: "silent" }>): boolean {
  return outcome === "silent" || (outcome === "EHOSTUNREACH" && reason.includes(CIRCLES));
}

interface Tried {
  readonly flow: Flow;
  readonly verdict: Verdict;
  readonly observed: Observed;
}

function sentence({ seed, state }: Comparison, { flow, verdict, observed }: Tried): string {
  const { from, protocol, to, port, sourcePort, forged } = flow;
  const own = state.NetworkInterfaces.find((one) => one.Attachment?.InstanceId === from);
  const source = [own?.PrivateIpAddress ?? "outside", ...(forged ? [`as ${forged}`] : [])].join(" ");
  const way = `${from} (${source}) ─▶ ${to} ${protocol} ${port} from ${sourcePort}`;
  return `seed ${seed}: ${way}: model ${JSON.stringify(verdict)}, packets ${JSON.stringify(observed)}`;
}
