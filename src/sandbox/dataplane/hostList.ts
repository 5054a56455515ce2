/**
 * The hosts of a topology as people name them: by instance, NAT gateway or interface id, by private or public
 * address, or `internet`. A pure function of the topology. Promises that a name which means several hosts is
 * answered with all of them, never with the first.
 */
import { addressNumber, cidr, span } from "../../domain/cidr.ts";
import { INTERNET, INTERNET_BLOCK } from "./names.ts";
import type { Host, Port, Router, Topology } from "./topology.ts";

export interface ShownAddress {
  readonly interfaceId: string;
  readonly privateIp: string;
  readonly publicIp: string | null;
}

export interface ShownHost {
  readonly id: string;
  readonly kind: Host["kind"] | "internet";
  readonly account: string | null;
  readonly region: string | null;
  readonly vpcId: string | null;
  /** The one of `eth0` first. */
  readonly addresses: readonly ShownAddress[];
}

/** A host, and the address of it that was meant. */
export interface Found {
  readonly host: ShownHost;
  /** Private; undefined for `internet` when no address was named. */
  readonly address: string | undefined;
}

export function shownHosts(topology: Topology): ShownHost[] {
  const routers = new Map(topology.routers.map((router) => [router.id, router]));
  const inVpcs = topology.hosts.flatMap((host) => {
    const router = routers.get(host.vpcId);
    return router ? [shownHost(host, router)] : [];
  });
  return [...inVpcs, { ...OUTSIDE }];
}

const OUTSIDE: ShownHost = {
  id: INTERNET,
  kind: "internet",
  account: null,
  region: null,
  vpcId: null,
  addresses: [],
};

function shownHost({ id, kind }: Host, router: Router): ShownHost {
  const ports = router.ports.filter(({ hostId }) => hostId === id);
  return {
    id,
    kind,
    account: router.account,
    region: router.region,
    vpcId: router.id,
    addresses: ports.map((port) => shownAddress(port, router)),
  };
}

function shownAddress({ id, privateIp }: Port, { publicAddresses }: Router): ShownAddress {
  const mapped = publicAddresses.find((one) => one.privateIp === privateIp);
  return { interfaceId: id, privateIp, publicIp: mapped?.publicIp ?? null };
}

/** Every host that `name` means: none, one, or those of several VPCs that have the same address. */
export function hostsNamed(hosts: readonly ShownHost[], name: string): Found[] {
  const [, vpcId, address] = /^(vpc-[^/]*)\/(.+)$/.exec(name) ?? [];
  if (vpcId !== undefined && address !== undefined)
    return hosts.filter((host) => host.vpcId === vpcId).flatMap((host) => meant(host, address));
  return hosts.flatMap((host) => meant(host, name));
}

function meant(host: ShownHost, name: string): Found[] {
  if (host.kind === "internet" && isOnInternet(name)) return [{ host, address: name }];
  if (host.id === name) return [{ host, address: host.addresses[0]?.privateIp }];
  const named = host.addresses.filter((one) => Object.values(one).includes(name));
  return named.map(({ privateIp }) => ({ host, address: privateIp }));
}

const { first, end } = span(cidr(INTERNET_BLOCK));

function isOnInternet(name: string): boolean {
  const address = addressNumber(name);
  return address !== undefined && address >= first && address < end;
}

/** What to write for exactly this one, when its address alone means others too. */
export function fullName({ host, address }: Found): string {
  return host.vpcId && address ? `${host.vpcId}/${address}` : host.id;
}
