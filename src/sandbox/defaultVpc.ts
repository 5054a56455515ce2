/**
 * What AWS gives every account in every region before its first call: a default VPC with a public subnet in
 * each zone. Promises it once for each account and region; one that was deleted stays deleted.
 * https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc.html
 */
import { cidr, cidrAt, span } from "../domain/cidr.ts";
import { zonesOf } from "./places.ts";
import { makeSubnet } from "./subnets.ts";
import { makeVpc } from "./vpcs.ts";
import type { Call } from "./world.ts";

const BLOCK = cidr("172.31.0.0/16");
const SUBNET_LENGTH = 20;

/** Makes the default VPC on the caller's first call in the region. */
export function furnish(call: Call): void {
  const { account, region, now, tables } = call;
  const id = `${account}/${region}`;
  if (tables.places.get(id)) return;
  tables.places.put({ id, account, region, at: now, tags: [] });
  const vpc = makeVpc(call, { cidr: BLOCK, tags: [], isDefault: true });
  const size = 2 ** (32 - SUBNET_LENGTH);
  for (const [index, zone] of zonesOf(region).entries()) {
    const block = cidrAt(span(BLOCK).first + index * size, SUBNET_LENGTH);
    makeSubnet(call, { vpc, cidr: block, zoneId: zone.id, tags: [], isDefault: true });
  }
  attachGateway(call, vpc.id);
}

function attachGateway(call: Call, vpcId: string): void {
  const { account, region, now, tables } = call;
  const id = call.newId("igw");
  tables.internetGateways.put({ id, account, region, at: now, tags: [], vpcId });
  const main = tables.routeTables.list(call).find((row) => row.vpcId === vpcId);
  if (!main) return;
  const route = {
    destination: cidr("0.0.0.0/0"),
    kind: "cidr",
    target: { type: "internetGateway", id },
    origin: "CreateRoute",
  } as const;
  tables.routeTables.put({ ...main, routes: [...main.routes, route] });
}
