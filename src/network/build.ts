/**
 * The moves that bring a network to what it should be, and a condition for each resource. A move is made only
 * when what it needs is *seen*; what cannot be changed in place is reported and never replaced.
 *
 *   vpc ──┬─ subnet/* ─┐
 *         ├─ igw (attached) ─┼─ nat/* ── private default routes
 *   eip/* ┴────────────┘
 *         ├─ table/* ── associations, routes, endpoint/s3
 *         └─ group/*, acl/default ── rules
 */
import type { Layout } from "../domain/model.ts";
import type { Step } from "../domain/steps.ts";
import type { SeenAddress, SeenNatGateway, SeenRouteTable, SeenVpc } from "../domain/world.ts";
import type { Desired, DesiredTable } from "./desired.ts";
import { buildAcl, buildGroups } from "./filters.ts";
import { type Draft, type Looked, made, type Sight } from "./sight.ts";

/** Usual times in seconds, from the facts of AWS: NAT gateways 84 to 121 s in nine public logs. */
const USUAL = { vpc: 2, subnet: 2, natGateway: 105, endpoint: 5, other: 2 } as const;

export interface BuildInput {
  readonly desired: Desired;
  readonly layout: Layout;
  readonly sight: Sight;
  readonly draft: Draft;
}

/** True for a NAT gateway that works or will work. */
export function natAlive(nat: SeenNatGateway): boolean {
  return nat.state === "pending" || nat.state === "available";
}

export function build(input: BuildInput): void {
  const vpc = buildVpc(input);
  buildAddresses(input);
  const gatewayId = buildInternetGateway(input, vpc);
  if (!vpc) {
    tellWaitingForVpc(input);
    return;
  }
  buildSubnets(input, vpc.id);
  buildNatGateways(input, gatewayId);
  buildTables(input, vpc.id);
  buildEndpoint(input, vpc.id);
  buildGroups(input, vpc.id);
  buildAcl(input, vpc.id);
}

function tellWaitingForVpc({ desired, draft }: BuildInput): void {
  const keys = [...desired.subnets, ...desired.nats, ...desired.tables, desired.endpoint, ...desired.groups];
  for (const { key } of keys)
    draft.waiting({ resource: key, message: "needs the VPC first", actor: "letsdata" });
  draft.waiting({ resource: "acl/default", message: "comes with the VPC", actor: "letsdata" });
}

function buildVpc({ desired, sight, draft }: BuildInput): SeenVpc | null {
  const vpc = made(draft, sight.look(sight.world.vpcs, "vpc"), {
    do: "createVpc",
    key: "vpc",
    cidr: desired.cidr,
  });
  if (!vpc) return null;
  const resource = { resource: "vpc", id: vpc.id };
  if (!vpc.cidrs.includes(desired.cidr)) {
    draft.blocked({
      ...resource,
      actor: "operator",
      message: `has the range ${vpc.cidrs.join(", ")} and should have ${desired.cidr}; a VPC's range cannot be changed`,
      hint: "Delete the dataset and create it again.",
    });
    return null;
  }
  if (vpc.state !== "available") {
    draft.waiting({ ...resource, message: `is ${vpc.state}`, usualSeconds: USUAL.vpc });
    return null;
  }
  if (!vpc.dnsSupport) draft.move({ do: "setDnsSupport", key: "vpc", vpcId: vpc.id });
  else if (!vpc.dnsHostnames) draft.move({ do: "setDnsHostnames", key: "vpc", vpcId: vpc.id });
  if (vpc.dnsSupport && vpc.dnsHostnames)
    draft.ready({ ...resource, message: `${desired.cidr} is available` });
  else draft.waiting({ ...resource, message: "its DNS options are being set", actor: "letsdata" });
  return vpc;
}

function buildAddresses({ desired, sight, draft }: BuildInput): void {
  for (const { addressKey: key } of desired.nats) {
    const address = made(draft, sight.look(sight.world.addresses, key), { do: "allocateAddress", key });
    if (address) draft.ready({ resource: key, id: address.id, message: address.publicIp });
  }
}

function buildInternetGateway({ sight, draft }: BuildInput, vpc: SeenVpc | null): string | null {
  const key = "igw";
  const gateway = made(draft, sight.look(sight.world.internetGateways, key), {
    do: "createInternetGateway",
    key,
  });
  if (!gateway) return null;
  const resource = { resource: key, id: gateway.id };
  if (vpc && gateway.vpcId === vpc.id) {
    draft.ready({ ...resource, message: "is attached" });
    return gateway.id;
  }
  if (gateway.vpcId) {
    draft.blocked({
      ...resource,
      actor: "operator",
      message: `is attached to ${gateway.vpcId}, which is not this dataset's VPC`,
      hint: `Detach it there: aws ec2 detach-internet-gateway --internet-gateway-id ${gateway.id} --vpc-id ${gateway.vpcId}`,
    });
    return null;
  }
  if (vpc) draft.move({ do: "attachInternetGateway", key, gatewayId: gateway.id, vpcId: vpc.id });
  draft.waiting({
    ...resource,
    message: vpc ? "is being attached" : "needs the VPC first",
    actor: "letsdata",
  });
  return null;
}

function buildSubnets({ desired, sight, draft }: BuildInput, vpcId: string): void {
  for (const { key, cidr, zoneId } of desired.subnets) {
    const step = { do: "createSubnet", key, vpcId, cidr, zoneId, usual: USUAL.subnet } as const;
    const subnet = made(draft, sight.look(sight.world.subnets, key), step);
    if (!subnet) continue;
    const resource = { resource: key, id: subnet.id };
    if (subnet.cidr !== cidr || subnet.zoneId !== zoneId || subnet.vpcId !== vpcId)
      draft.blocked({
        ...resource,
        actor: "operator",
        message: `is ${subnet.cidr} in ${subnet.zoneId} of ${subnet.vpcId} and should be ${cidr} in ${zoneId} of ${vpcId}; a subnet cannot be changed`,
        hint: "Delete the dataset and create it again.",
      });
    else if (subnet.state !== "available")
      draft.waiting({ ...resource, message: `is ${subnet.state}`, usualSeconds: USUAL.subnet });
    else draft.ready({ ...resource, message: `${cidr} in ${zoneId}` });
  }
}

function buildNatGateways(input: BuildInput, gatewayId: string | null): void {
  for (const nat of input.desired.nats) buildNatGateway(input, nat, gatewayId);
}

function buildNatGateway(
  { sight, draft }: BuildInput,
  { key, subnetKey, addressKey }: Desired["nats"][number],
  gatewayId: string | null,
): void {
  const looked = sight.look(sight.world.natGateways, key, natAlive);
  if (looked.is === "seen") {
    tellNatGateway(draft, looked.thing);
    return;
  }
  const subnet = seen(sight.look(sight.world.subnets, subnetKey));
  const address = seen(sight.look(sight.world.addresses, addressKey));
  const needs = missing({ subnet, address, gatewayId, subnetKey, addressKey });
  const lastFailure = sight.world.natGateways.find(
    (nat) => nat.key === key && nat.state === "failed",
  )?.failure;
  if (needs || !subnet || !address) {
    draft.waiting({
      resource: key,
      message: `needs ${needs} first`,
      actor: "letsdata",
      usualSeconds: USUAL.natGateway,
    });
    return;
  }
  if (lastFailure && looked.is === "absent" && !mayTryAgain(sight, key)) {
    draft.blocked({
      resource: key,
      actor: "aws",
      message: `AWS could not create it: ${lastFailure}`,
      hint: "It is tried again, less and less often.",
    });
    return;
  }
  made(draft, looked, {
    do: "createNatGateway",
    key,
    subnetId: subnet.id,
    allocationId: address.id,
    usual: USUAL.natGateway,
  });
}

function tellNatGateway(draft: Draft, nat: SeenNatGateway): void {
  const resource = { resource: nat.key, id: nat.id };
  if (nat.state === "available") draft.ready({ ...resource, message: "is available" });
  else draft.waiting({ ...resource, message: "is pending", usualSeconds: USUAL.natGateway });
}

function seen<T>(looked: Looked<T>): T | null {
  return looked.is === "seen" ? looked.thing : null;
}

function missing(have: {
  subnet: { readonly state: string } | null;
  address: SeenAddress | null;
  gatewayId: string | null;
  subnetKey: string;
  addressKey: string;
}): string | null {
  if (have.subnet?.state !== "available") return have.subnetKey;
  if (!have.address) return have.addressKey;
  if (have.address.associationId) return `${have.addressKey} to be free of what used it`;
  // Without an attached gateway AWS lets the NAT gateway fail: Gateway.NotAttached.
  // https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
  if (!have.gatewayId) return "igw attached";
  return null;
}

/** A failed NAT gateway is tried again after 30 s, 1 min, 2 min … at most 10 min. */
function mayTryAgain(sight: Sight, key: string): boolean {
  const failed = sight.world.natGateways.filter((nat) => nat.key === key && nat.state === "failed");
  const last = sight.lastTryAt(key);
  const waitMs = Math.min(30_000 * 2 ** Math.max(0, failed.length - 1), 600_000);
  return last === null || sight.now - last >= waitMs;
}

function buildTables(input: BuildInput, vpcId: string): void {
  for (const table of input.desired.tables) {
    const step = { do: "createRouteTable", key: table.key, vpcId } as const;
    const found = made(input.draft, input.sight.look(input.sight.world.routeTables, table.key), step);
    if (found) buildTable(input, table, found);
  }
}

function buildTable(input: BuildInput, table: DesiredTable, found: SeenRouteTable): void {
  const { draft } = input;
  const before = draft.moves.length;
  const waits = [...associationWaits(input, table, found), ...routeWaits(input, table, found)];
  const resource = { resource: table.key, id: found.id };
  if (draft.moves.length > before)
    draft.waiting({ ...resource, message: "its routes and associations are being set", actor: "letsdata" });
  else if (waits.length > 0)
    draft.waiting({
      ...resource,
      message: `waits for ${waits.join(", ")}`,
      actor: "letsdata",
      usualSeconds: USUAL.natGateway,
    });
  else
    draft.ready({
      ...resource,
      message: `${counted(table.routes.length, "route")}, ${counted(table.subnetKeys.length, "subnet")}`,
    });
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function associationWaits(
  { sight, draft }: BuildInput,
  table: DesiredTable,
  found: SeenRouteTable,
): string[] {
  const waits: string[] = [];
  for (const subnetKey of table.subnetKeys) {
    const subnet = seen(sight.look(sight.world.subnets, subnetKey));
    if (!subnet) {
      waits.push(subnetKey);
      continue;
    }
    if (found.associations.some(({ subnetId }) => subnetId === subnet.id)) continue;
    const elsewhere = sight.world.routeTables
      .flatMap(({ associations }) => associations)
      .find(({ subnetId }) => subnetId === subnet.id);
    if (elsewhere)
      draft.move({
        do: "replaceAssociation",
        key: table.key,
        associationId: elsewhere.id,
        tableId: found.id,
      });
    else draft.move({ do: "associateTable", key: table.key, tableId: found.id, subnetId: subnet.id });
  }
  return waits;
}

function routeWaits({ sight, draft }: BuildInput, table: DesiredTable, found: SeenRouteTable): string[] {
  const waits: string[] = [];
  for (const { destination, kind, target } of table.routes) {
    const id = targetId(sight, kind, target);
    if (!id) {
      waits.push(target);
      continue;
    }
    const route = { destination, target: { kind, id } };
    const there = found.routes.find((candidate) => candidate.destination === destination);
    const place = { key: table.key, tableId: found.id, route };
    if (!there) draft.move({ do: "createRoute", ...place });
    else if (there.targetId !== id) draft.move({ do: "replaceRoute", ...place });
    else if (there.blackhole) waits.push(`${target}, which carries no traffic`);
  }
  const wanted = new Set<string>(table.routes.map(({ destination }) => destination));
  for (const { destination } of found.routes)
    if (!wanted.has(destination))
      draft.move({ do: "deleteRoute", key: table.key, tableId: found.id, destination });
  return waits;
}

function targetId(sight: Sight, kind: DesiredTable["routes"][number]["kind"], target: string): string | null {
  if (kind === "peering") return target;
  if (kind === "natGateway") {
    const nat = seen(sight.look(sight.world.natGateways, target, natAlive));
    return nat?.state === "available" ? nat.id : null;
  }
  const gateway = seen(sight.look(sight.world.internetGateways, target));
  return gateway?.vpcId ? gateway.id : null;
}

function buildEndpoint({ desired, sight, draft }: BuildInput, vpcId: string): void {
  const { key, tableKeys } = desired.endpoint;
  const tables = tableKeys.map((tableKey) => seen(sight.look(sight.world.routeTables, tableKey)));
  const ids = tables.flatMap((table) => (table ? [table.id] : []));
  const looked = sight.look(
    sight.world.endpoints,
    key,
    ({ state }) => !/^(deleting|deleted|failed)$/i.test(state),
  );
  if (looked.is === "absent" && ids.length < tableKeys.length) {
    draft.waiting({ resource: key, message: "needs the private route tables first", actor: "letsdata" });
    return;
  }
  const step = { do: "createEndpoint", key, vpcId, routeTableIds: ids, usual: USUAL.endpoint } as const;
  const endpoint = made(draft, looked, step);
  if (!endpoint) return;
  const change = tableChange(endpoint.id, ids, endpoint.routeTableIds);
  const resource = { resource: key, id: endpoint.id };
  if (change) draft.move({ ...change, key });
  if (change) draft.waiting({ ...resource, message: "its route tables are being set", actor: "letsdata" });
  else if (!/^available$/i.test(endpoint.state))
    draft.waiting({ ...resource, message: `is ${endpoint.state}` });
  else draft.ready({ ...resource, message: "S3 without the NAT gateways" });
}

function tableChange(
  endpointId: string,
  wanted: readonly string[],
  there: readonly string[],
): WithoutKey | null {
  const add = wanted.filter((id) => !there.includes(id));
  const remove = there.filter((id) => !wanted.includes(id));
  return add.length + remove.length > 0 ? { do: "setEndpointTables", endpointId, add, remove } : null;
}

type WithoutKey = Omit<Extract<Step, { do: "setEndpointTables" }>, "key">;
