/**
 * The names that a VPC's resolver knows, one source a kind of name. A source promises all records of its names
 * as the asking VPC is to see them; what a name means differs from VPC to VPC. Another kind of name (a service's,
 * say) is one more entry of NAME_SOURCES.
 *
 *   name                                    inside its VPC,        elsewhere
 *                                           or a peer that may
 *   ip-10-0-0-5.ec2.internal                10.0.0.5               no such name
 *   ec2-198-18-0-1.compute-1.amazonaws.com  10.0.0.5               198.18.0.1
 *
 * https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html
 */

import { hasHostnames, privateDnsName, privateDomain, publicDnsName, publicDomain } from "../hostnames.ts";
import { nodeName, nodesOf } from "../kafkaNodes.ts";
import { activePeeringsOf, otherSide } from "../peeringStates.ts";
import { REGION_NAMES } from "../places.ts";
import type { InterfaceRow, VpcRow } from "../rows.ts";
import type { Look } from "./reading.ts";

/** Who asks: a host of that VPC. */
export interface Asker extends Look {
  readonly vpc: VpcRow;
}

/** `name` in lower case, without the last dot. */
export interface NameRecord {
  readonly name: string;
  readonly type: "A" | "PTR";
  readonly data: string;
}

export interface NameSource {
  /** Domains in which there is no name but the source's. */
  readonly zones: readonly string[];
  records(asker: Asker): readonly NameRecord[];
}

const privateNames: NameSource = {
  zones: REGION_NAMES.map(privateDomain),
  records: (asker) =>
    knownInterfaces(asker).map(({ region, privateIp }) =>
      address(privateDnsName(region, privateIp), privateIp),
    ),
};

/** Every public address that somebody holds has its name, whether it is in use or not. */
const publicNames: NameSource = {
  zones: REGION_NAMES.map(publicDomain),
  records(asker) {
    const known = new Map(knownInterfaces(asker).map((row) => [row.id, row.privateIp]));
    return held(asker).map(({ region, publicIp, interfaceId = "" }) =>
      address(publicDnsName(region, publicIp), known.get(interfaceId) ?? publicIp),
    );
  },
};

const reverseNames: NameSource = {
  zones: ["in-addr.arpa"],
  records: (asker) => [
    ...knownInterfaces(asker).map(({ region, privateIp }) =>
      pointer(privateIp, privateDnsName(region, privateIp)),
    ),
    ...held(asker).map(({ region, publicIp }) => pointer(publicIp, publicDnsName(region, publicIp))),
  ],
};

/**
 * A broker's name is everybody's to ask, and answers its private address, in its VPC and out of it: nothing has to
 * be said to a peering. https://docs.aws.amazon.com/msk/latest/developerguide/msk-get-bootstrap-brokers.html
 */
const brokerNames: NameSource = {
  zones: REGION_NAMES.map((region) => `kafka.${region}.amazonaws.com`),
  records: ({ tables, now }) =>
    tables.clusters
      .all()
      .filter(({ deletedAt }) => deletedAt === undefined || deletedAt > now)
      .flatMap((row) => nodesOf(row, "broker").map((node) => address(nodeName(row, node), node.privateIp))),
};

export const NAME_SOURCES: readonly NameSource[] = [privateNames, publicNames, reverseNames, brokerNames];

function address(name: string, data: string): NameRecord {
  return { name, type: "A", data };
}

function pointer(ip: string, data: string): NameRecord {
  return { name: `${ip.split(".").reverse().join(".")}.in-addr.arpa`, type: "PTR", data };
}

/**
 * Interfaces whose private addresses the asker may learn by name: those of its own VPC, and of peers that let
 * names resolve from the remote VPC; both VPCs must have names.
 */
function knownInterfaces(asker: Asker): InterfaceRow[] {
  if (!hasHostnames(asker.vpc)) return [];
  const known = new Set([asker.vpc.id, ...openPeers(asker)]);
  return asker.tables.interfaces.all().filter((row) => known.has(row.vpcId));
}

function openPeers(asker: Asker): string[] {
  return activePeeringsOf(asker, asker.vpc.id)
    .map((row) => otherSide(row, asker.vpc.id))
    .filter((peer) => peer.dnsFromRemote && hasHostnames(asker.tables.vpcs.get(peer.vpcId)))
    .map((peer) => peer.vpcId);
}

interface Held {
  readonly region: string;
  readonly publicIp: string;
  readonly interfaceId?: string;
}

/** Every public address of the cloud: elastic ones, and those that an instance was started with. */
function held({ tables }: Look): Held[] {
  const started = tables.interfaces
    .all()
    .flatMap(({ id, region, autoPublicIp: publicIp }) =>
      publicIp === undefined ? [] : [{ region, publicIp, interfaceId: id }],
    );
  return [...tables.addresses.all(), ...started];
}
