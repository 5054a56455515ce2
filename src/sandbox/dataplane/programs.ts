/**
 * From a topology to everything that is applied for it: a namespace for each router and host and one for the
 * internet, and the links between them. A pure function; nothing is executed here, so that what the kernel is
 * told can be read, compared and mutated.
 */
import type { Cidr } from "../../domain/cidr.ts";
import { type HostPort, hostNamespace, internetNamespace } from "./hostProgram.ts";
import {
  GATEWAY_DEVICE,
  GATEWAY_ENDS,
  GATEWAY_GROUP,
  gatewayPeerDevice,
  INTER_REGION_MTU,
  INTERNET,
  INTERNET_MTU,
  JUMBO_MTU,
  PEERING_ENDS,
  PEERING_GROUP,
  peeringDevice,
  portDevice,
  ROUTER_MAC,
} from "./names.ts";
import type { Link, Programs } from "./program.ts";
import type { PeeringEnd } from "./routerFilter.ts";
import { routerNamespace } from "./routerProgram.ts";
import { serviceLinks, serviceNamespaces } from "./serviceProgram.ts";
import type { Peering, Port, Router, Topology } from "./topology.ts";

export function programsOf({ routers, hosts, peerings }: Topology): Programs {
  const routerOf = new Map(routers.map((router) => [router.id, router]));
  const live = peerings.flatMap((peering) => wholePeering(peering, routerOf));
  const endsOf = Map.groupBy(
    live.flatMap(({ ends }) => ends),
    ({ routerId }) => routerId,
  );
  const portsOf = Map.groupBy(routers.flatMap(hostPorts), ({ hostId }) => hostId);
  return {
    namespaces: [
      internetNamespace(routers),
      ...routers.map((router) => routerNamespace(router, endsOf.get(router.id) ?? [])),
      ...serviceNamespaces(hosts),
      ...hosts.map((host) => hostNamespace(host, portsOf.get(host.id) ?? [])),
    ],
    links: [
      ...routers.flatMap(routerLinks),
      ...live.map(({ peering, mtu }) => peeringLink(peering, mtu)),
      ...hosts.flatMap(serviceLinks),
    ],
  };
}

interface WholePeering {
  readonly peering: Peering;
  readonly mtu: number;
  readonly ends: readonly (PeeringEnd & { readonly routerId: string })[];
}

/** The peering with what its routers need of it; none when one of its VPCs is not there. */
function wholePeering(peering: Peering, routerOf: ReadonlyMap<string, Router>): WholePeering[] {
  const [requester, accepter] = peering.ends.map((id) => routerOf.get(id));
  if (!requester || !accepter) return [];
  const { id, number } = peering;
  const mtu = requester.region === accepter.region ? JUMBO_MTU : INTER_REGION_MTU;
  return [
    {
      peering,
      mtu,
      ends: [
        { id, number, side: 0, routerId: requester.id, blocks: accepter.blocks },
        { id, number, side: 1, routerId: accepter.id, blocks: requester.blocks },
      ],
    },
  ];
}

function hostPorts({ ports, subnets }: Router): (HostPort & { readonly hostId: string })[] {
  const blockOf = new Map(subnets.map(({ id, cidr }) => [id, cidr]));
  return ports.flatMap((port) => {
    const subnet: Cidr | undefined = blockOf.get(port.subnetId);
    return subnet ? [{ ...port, subnet }] : [];
  });
}

function routerLinks(router: Router): Link[] {
  const numberOf = new Map(router.subnets.map(({ id, number }) => [id, number]));
  const ports = router.ports.flatMap((port) => {
    const group = numberOf.get(port.subnetId);
    return group === undefined ? [] : [portLink(router, port, group)];
  });
  return router.hasInternetGateway ? [...ports, gatewayLink(router)] : ports;
}

function portLink({ id: namespace }: Router, port: Port, group: number): Link {
  return {
    key: port.id,
    mtu: JUMBO_MTU,
    ends: [
      { namespace, device: portDevice(port.id), macAddress: ROUTER_MAC, group },
      { namespace: port.hostId, device: port.device, macAddress: port.macAddress },
    ],
  };
}

function gatewayLink({ id }: Router): Link {
  const [near, far] = GATEWAY_ENDS;
  return {
    key: `igw ${id}`,
    mtu: INTERNET_MTU,
    ends: [
      { namespace: id, device: GATEWAY_DEVICE, macAddress: near.macAddress, group: GATEWAY_GROUP },
      { namespace: INTERNET, device: gatewayPeerDevice(id), macAddress: far.macAddress },
    ],
  };
}

function peeringLink({ id: key, ends: [a, b] }: Peering, mtu: number): Link {
  const device = peeringDevice(key);
  const [near, far] = PEERING_ENDS;
  return {
    key,
    mtu,
    ends: [
      { namespace: a, device, macAddress: near.macAddress, group: PEERING_GROUP },
      { namespace: b, device, macAddress: far.macAddress, group: PEERING_GROUP },
    ],
  };
}
