import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cidr } from "../domain/cidr.ts";
import type { World } from "../domain/world.ts";
import { cost, countsOf, summed } from "./cost.ts";
import { footprint } from "./footprint.ts";
import { PRICES } from "./prices.ts";
import { quotaNeeds } from "./quotaNeeds.ts";
import { network, settled } from "./settled.testing.ts";

const at = (region: string) => ({ region, prices: PRICES });
const world = settled(network());

describe("what a network costs", () => {
  test("three NAT gateways and three addresses in us-east-1: 98.55 + 10.95 = 109.50", () => {
    const told = cost(countsOf(world), at("us-east-1"));
    assert.equal(told.monthlyUsd, 109.5);
    assert.equal(told.atLeast, false);
    assert.equal(told.pricesDate, PRICES.date);
    const paid = told.parts.filter(({ monthlyUsd }) => monthlyUsd !== 0);
    assert.deepEqual(paid, [
      { resource: "elasticIp", count: 3, hourlyUsd: 0.005, monthlyUsd: 10.95 },
      { resource: "natGateway", count: 3, hourlyUsd: 0.045, monthlyUsd: 98.55 },
    ]);
  });

  test("the parts always make the sum", () => {
    for (const region of Object.keys(PRICES.regions)) {
      const { parts, monthlyUsd } = cost(countsOf(world), at(region));
      const sum = parts.reduce((total, part) => total + (part.monthlyUsd ?? 0), 0);
      assert.equal(Math.round(sum * 100), Math.round((monthlyUsd ?? 0) * 100), region);
    }
  });

  test("a price that is missing makes it at least so much, never less", () => {
    const told = cost(countsOf(world), at("eu-west-1"));
    assert.deepEqual([told.monthlyUsd, told.atLeast], [105.12, true]);
    const address = told.parts.find(({ resource }) => resource === "elasticIp");
    assert.deepEqual(address, { resource: "elasticIp", count: 3, hourlyUsd: null, monthlyUsd: null });
  });

  test("where nothing that costs has a price, the sum is unknown, not zero", () => {
    const told = cost(countsOf(world), at("us-west-2"));
    assert.deepEqual([told.monthlyUsd, told.atLeast], [null, true]);
  });

  test("nothing there costs nothing", () => {
    assert.deepEqual(cost({}, at("us-west-2")), {
      monthlyUsd: 0,
      atLeast: false,
      parts: [],
      pricesDate: PRICES.date,
      region: "us-west-2",
    });
  });

  test("a failed or deleted NAT gateway is not charged, a deleting one is; an idle address is", () => {
    const [first, second, third] = world.natGateways;
    assert.ok(first && second && third);
    const seen: World = {
      ...world,
      natGateways: [
        { ...first, state: "failed" },
        { ...second, state: "deleting" },
        { ...third, state: "deleted" },
      ],
      addresses: world.addresses.map((address) => ({ ...address, associationId: null })),
    };
    assert.equal(countsOf(seen).natGateway, 1);
    assert.equal(countsOf(seen).elasticIp, 3);
  });

  test("sums are in whole cents", () => {
    assert.deepEqual(summed([0.1, 0.2]), { monthlyUsd: 0.3, atLeast: false });
  });
});

describe("what a network will be", () => {
  const needs = footprint(cidr("10.2.0.0/25"), "small", null);

  test("counts what is then built: the same as a settled world, but for peerings", () => {
    const { peeringConnection, ...there } = countsOf(world);
    assert.equal(peeringConnection, 0);
    const { cluster, probe, ...counts } = needs.counts;
    assert.deepEqual([cluster, probe], [0, 0]);
    assert.deepEqual(counts, there);
  });

  test("cuts the range as the layout does", () => {
    assert.deepEqual(
      needs.subnets.map(({ type, cidr: block }) => `${type} ${block}`),
      [
        "private 10.2.0.0/28",
        "private 10.2.0.16/28",
        "private 10.2.0.32/28",
        "public 10.2.0.48/28",
        "public 10.2.0.64/28",
        "public 10.2.0.80/28",
      ],
    );
  });

  test("names the quotas it uses up", () => {
    assert.deepEqual(
      needs.quotas.map(({ service, code, needed, per }) => `${service}/${code} ${needed} ${per}`),
      [
        "vpc/L-F678F1CE 1 region",
        "vpc/L-A4707A72 1 region",
        "ec2/L-0263D0A3 3 region",
        "vpc/L-FE5A380F 1 zone",
        "vpc/L-1B52E74A 1 region",
      ],
    );
  });

  test("and as much of each as is reserved before the first write", () => {
    const reserved = quotaNeeds({ zoneIds: ["a", "b", "c"] }, null);
    const names = ["vpcs", "internetGateways", "elasticIps", "natGatewaysPerZone/a", "gatewayEndpoints"];
    assert.deepEqual(
      needs.quotas.map(({ needed }) => needed),
      names.map((name) => reserved.get(name)),
    );
  });
});
