/**
 * The smallest VPC with real packets: one subnet, two hosts, one rule. It is built by the very programs of the
 * sandbox's VPCs; whether a port that the rule allows answers and another is silent shows that they work here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cidr } from "../../domain/cidr.ts";
import { apply } from "./applying.ts";
import { NOTHING } from "./changes.ts";
import { DataPlaneError, type Holder, TOOLS_PATH } from "./holder.ts";
import { FIRST_NUMBER } from "./names.ts";
import { programsOf } from "./programs.ts";
import type { Group, Port, Topology } from "./topology.ts";

const VPC = "vpc-00000000000000001";
const SERVER = { id: "i-00000000000000001", address: "10.0.0.4" };
const CLIENT = { id: "i-00000000000000002", address: "10.0.0.5" };
const ALLOWED_PORT = 7001;
const REFUSED_PORT = 7002;

/** What connecting to each of the two ports came to: `connected`, `silence` or the error's code. */
export async function trafficOfSmallestVpc(holder: Holder) {
  const { failures } = await apply(holder, NOTHING, programsOf(SMALLEST));
  for (const [namespace, said] of failures) throw new DataPlaneError(`${namespace}: ${said}`);
  const server = node(holder, SERVER.id, SERVE);
  await firstWord(server);
  const [allowed, refused] = await Promise.all([
    firstWord(node(holder, CLIENT.id, connecting(ALLOWED_PORT, 10_000))),
    firstWord(node(holder, CLIENT.id, connecting(REFUSED_PORT, 500))),
  ]);
  return { allowed, refused };
}

function node(holder: Holder, namespace: string, code: string): ChildProcess {
  const [program = "", ...args] = holder.entry(namespace);
  return spawn(program, [...args, process.execPath, "-e", code], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: TOOLS_PATH },
  });
}

/** What it says first; rejects with what it complained about when it ends without a word. */
function firstWord(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let complaint = "";
    child.stdout?.once("data", (chunk) => resolve(String(chunk).trim()));
    child.stderr?.on("data", (chunk) => (complaint += chunk));
    child.once("error", (error) => reject(new DataPlaneError(error.message)));
    child.once("close", () =>
      reject(new DataPlaneError(complaint.trim() || "a program ended without a word")),
    );
  });
}

const SERVE = `const { createServer } = require("node:net");
const serve = (port, then) => createServer((socket) => socket.end()).listen(port, then);
serve(${ALLOWED_PORT}, () => serve(${REFUSED_PORT}, () => console.log("ready")));`;

function connecting(port: number, patienceMs: number): string {
  return `const socket = require("node:net").connect(${port}, "${SERVER.address}");
const say = (word) => { console.log(word); process.exit(); };
socket.setTimeout(${patienceMs}, () => say("silence"));
socket.once("connect", () => say("connected"));
socket.once("error", (error) => say(error.code));`;
}

const SUBNET = { id: "subnet-00000000000000001", block: cidr("10.0.0.0/24"), number: FIRST_NUMBER + 1 };
const TABLE = { id: "rtb-00000000000000001", number: FIRST_NUMBER + 1, routes: [] };

const EVERYTHING = {
  fromPort: -1,
  toPort: -1,
  protocol: "-1",
  from: { type: "cidr", cidr: cidr("0.0.0.0/0") },
} as const;

const GROUP: Group = {
  id: "sg-00000000000000001",
  members: [SERVER.address, CLIENT.address],
  rules: [
    { id: "sgr-00000000000000001", egress: true, ...EVERYTHING },
    {
      ...EVERYTHING,
      id: "sgr-00000000000000002",
      egress: false,
      protocol: "tcp",
      fromPort: ALLOWED_PORT,
      toPort: ALLOWED_PORT,
    },
  ],
};

const SMALLEST: Topology = {
  peerings: [],
  hosts: [SERVER, CLIENT].map(({ id }) => ({ id, vpcId: VPC, kind: "instance" })),
  routers: [
    {
      id: VPC,
      account: "000000000000",
      region: "us-east-1",
      blocks: [cidr("10.0.0.0/16")],
      subnets: [{ id: SUBNET.id, cidr: SUBNET.block, number: SUBNET.number, tableId: TABLE.id, aclId: "" }],
      tables: [TABLE],
      ports: [portOf(SERVER, 1), portOf(CLIENT, 2)],
      groups: [GROUP],
      acls: [],
      publicAddresses: [],
      hasInternetGateway: false,
      dnsSupport: true,
    },
  ],
};

function portOf({ id, address }: typeof SERVER, number: number): Port {
  return {
    id: `eni-0000000000000000${number}`,
    hostId: id,
    device: "eth0",
    subnetId: SUBNET.id,
    privateIp: address,
    macAddress: `02:00:00:00:00:0${number}`,
    groupIds: [GROUP.id],
    sourceDestCheck: true,
    isOpen: false,
  };
}
