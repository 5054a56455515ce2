/**
 * `npm run bench:packets`: what real packets cost, all in one run on one machine, as ratios where possible:
 * throughput beside a bare pair of devices, building and cutting beside the bare application of the same texts
 * by the kernel's tools, and the memory of 50 VPCs. Needs iperf3 (Debian: iperf3). Prints one JSON line a figure
 * and exits 1 beyond a limit.
 */
import { readFileSync } from "node:fs";
import { DeleteVpcPeeringConnectionCommand } from "@aws-sdk/client-ec2";
import { apply } from "../src/sandbox/dataplane/applying.ts";
import { type Changes, changesBetween, NOTHING } from "../src/sandbox/dataplane/changes.ts";
import { type Holder, startHolder } from "../src/sandbox/dataplane/holder.ts";
import type { Programs } from "../src/sandbox/dataplane/program.ts";
import { programsOf } from "../src/sandbox/dataplane/programs.ts";
import {
  type Bed,
  clock,
  type Host,
  inside,
  makeHosts,
  makeSmallVpc,
  openBed,
  peer,
  type SmallVpc,
  unroute,
} from "./packets/bed.ts";

const ROUNDS = 7;
const SECONDS_A_ROUND = 1;

function report(
  figure: string,
  value: number,
  limit: { readonly least: number } | { readonly most: number },
): void {
  const ok = "least" in limit ? value >= limit.least : value <= limit.most;
  console.log(JSON.stringify({ figure, value: Number(value.toFixed(3)), ...limit, ok }));
  if (!ok) process.exitCode = 1;
}

function note(figure: string, value: number): void {
  console.log(JSON.stringify({ figure, value: Number(value.toFixed(2)) }));
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Two namespaces and nothing between them but a pair of devices. */
const BARE = `set -e
ip netns add bare-a; ip netns add bare-b
ip link add name b0 netns bare-a mtu 9001 numtxqueues 1 numrxqueues 1 type veth peer name b0 netns bare-b mtu 9001 numtxqueues 1 numrxqueues 1
ip -n bare-a addr add 192.168.0.1/24 dev b0; ip -n bare-a link set b0 up
ip -n bare-b addr add 192.168.0.2/24 dev b0; ip -n bare-b link set b0 up
`;

async function gigabits(bed: Bed, from: string, to: string): Promise<number> {
  const argv = ["iperf3", "-c", to, "-t", String(SECONDS_A_ROUND), "-J"];
  const answer = JSON.parse(await inside(bed, from, argv).ended);
  return answer.end.sum_received.bits_per_second / 1e9;
}

async function throughput(bed: Bed, [client, near, far]: readonly [Host, Host, Host]): Promise<void> {
  await bed.dataPlane.run(BARE);
  const servers = [near.id, far.id, "bare-b"].map((name) =>
    inside(bed, name, ["iperf3", "-s", "--forceflush"]),
  );
  while (!servers.every(({ said }) => said().includes("listening"))) await clock.sleep(5);
  const ways = {
    bare: ["bare-a", "192.168.0.2"],
    vpc: [client.id, near.privateIp],
    peering: [client.id, far.privateIp],
  };
  const seen = { bare: [] as number[], vpc: [] as number[], peering: [] as number[] };
  for (let round = 0; round < ROUNDS; round++)
    for (const [way, [from = "", to = ""]] of Object.entries(ways))
      seen[way as keyof typeof seen].push(await gigabits(bed, from, to));
  note("Gbit/s between a bare pair", median(seen.bare));
  report("throughput in a VPC / bare", median(seen.vpc) / median(seen.bare), { least: 0.85 });
  report("throughput over a peering / bare", median(seen.peering) / median(seen.bare), { least: 0.75 });
}

/** The same texts, by a shell, as fast as it can: every namespace at once. */
function bareScript({ first, inside: each, last }: Changes): string {
  const programs = each.map(
    ({ namespace, script }) =>
      `nsenter --net=/run/netns/${namespace} sh -s <<'BARE' &\nset -e\n${script}\nBARE\n`,
  );
  return `set -e\n${first}\n${programs.join("")}wait\n${last}\n`;
}

async function bare(holder: Holder, before: Programs, after: Programs): Promise<number> {
  const script = bareScript(changesBetween(before, after));
  return milliseconds(async () => {
    const { code, stderr } = await holder.run(script);
    if (code !== 0) throw new Error(stderr);
  });
}

async function building(bed: Bed): Promise<void> {
  const topology = () => bed.dataPlane.topology();
  const seen = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b] = [await startHolder(clock), await startHolder(clock)];
    seen.ours.push(await milliseconds(() => apply(a, NOTHING, programsOf(topology()))));
    seen.bare.push(await bare(b, NOTHING, programsOf(topology())));
    await Promise.all([a.close(), b.close()]);
  }
  note("ms to build a small VPC", median(seen.ours));
  report("building a small VPC / bare", median(seen.ours) / median(seen.bare), { most: 2 });
}

/** Sends a datagram a millisecond; the receiver says when the last one came, on the machine's one clock. */
const SENDER = `const s=require("dgram").createSocket("udp4");const to=process.argv[1];
setInterval(()=>s.send("x",5000,to),1);process.stdin.resume().on("end",()=>process.exit());console.log("on")`;
const RECEIVER = `let last=0n;const s=require("dgram").createSocket("udp4");s.on("message",()=>{if(!last)console.log("on");last=process.hrtime.bigint()});
s.bind(5000);process.stdin.on("data",()=>console.log("last "+last)).on("end",()=>process.exit())`;

async function cutting(
  bed: Bed,
  [a, b]: readonly [SmallVpc, SmallVpc],
  hosts: readonly [Host, Host],
): Promise<void> {
  const seen = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    const VpcPeeringConnectionId = await peer(bed, a, b);
    await bed.dataPlane.settled();
    const before = programsOf(bed.dataPlane.topology());
    const receiver = inside(bed, hosts[1].id, [process.execPath, "-e", RECEIVER]);
    const sender = inside(bed, hosts[0].id, [process.execPath, "-e", SENDER, hosts[1].privateIp]);
    while (!receiver.said().includes("on")) await clock.sleep(1);
    const started = process.hrtime.bigint();
    await bed.client.send(new DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
    await bed.dataPlane.settled();
    receiver.tell("?");
    while (!receiver.said().includes("last")) await clock.sleep(1);
    seen.ours.push(Number(BigInt(/last (\d+)/.exec(receiver.said())?.[1] ?? 0) - started) / 1e6);
    for (const one of [sender, receiver]) one.stop();
    await Promise.all([sender.ended, receiver.ended]);
    const holder = await startHolder(clock);
    await apply(holder, NOTHING, before);
    seen.bare.push(await bare(holder, before, programsOf(bed.dataPlane.topology())));
    await holder.close();
    await unroute(bed, a, b);
  }
  note("ms from the call to the last packet over a deleted peering", median(seen.ours));
  report("cutting a peering / bare", median(seen.ours) / median(seen.bare), { most: 2 });
}

/** What the kernel keeps for itself, and this process, in MB: the memory of other programs is not in it. */
function megabytes(): number {
  const known = readFileSync("/proc/meminfo", "utf8");
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(known)?.[1] ?? 0);
  const kernel = ["Slab", "KernelStack", "PageTables", "Percpu", "VmallocUsed"].map(kilobytes);
  return kernel.reduce((sum, one) => sum + one, 0) / 1024 + process.memoryUsage().rss / 1024 / 1024;
}

const VPCS = 50;

async function memory(): Promise<void> {
  const bed = await openBed();
  try {
    const before = megabytes();
    for (let n = 0; n < VPCS; n++) await makeHosts(bed, await makeSmallVpc(bed, `10.${n}.0.0/25`), 4);
    await bed.dataPlane.settled();
    report(`MB of ${VPCS} VPCs with 4 hosts each`, megabytes() - before, { most: 250 });
  } finally {
    await bed.close();
  }
}

const bed = await openBed();
try {
  const alone = await makeSmallVpc(bed, "10.1.0.0/25");
  const [client, near] = await makeHosts(bed, alone, 2);
  await bed.dataPlane.settled();
  await building(bed);
  const other = await makeSmallVpc(bed, "10.2.0.0/25");
  const [far] = await makeHosts(bed, other, 1);
  if (!client || !near || !far) throw new Error("there are not as many hosts as were asked for");
  await cutting(bed, [alone, other], [client, far]);
  await peer(bed, alone, other);
  await bed.dataPlane.settled();
  await throughput(bed, [client, near, far]);
} finally {
  await bed.close();
}
await memory();
