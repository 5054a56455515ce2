import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { hourlyPrice, PRICES, parsePrices } from "./prices.ts";

describe("the table that is built in", () => {
  test("knows what is known, and guesses nothing from another region", () => {
    const nat = (region: string) => hourlyPrice(PRICES, region, "natGateway");
    assert.deepEqual(
      ["us-east-1", "us-east-2", "eu-west-1", "ap-northeast-1", "us-west-2", "ap-south-1"].map(nat),
      [0.045, 0.045, 0.048, 0.062, null, null],
    );
    assert.equal(hourlyPrice(PRICES, "us-east-1", "elasticIp"), 0.005);
    assert.equal(hourlyPrice(PRICES, "eu-west-1", "elasticIp"), null);
    assert.equal(hourlyPrice(PRICES, "us-west-2", "gatewayEndpoint"), 0);
  });

  test("names a source for every price", () => {
    const lists = [PRICES.everywhere, ...Object.values(PRICES.regions)];
    for (const list of lists)
      for (const price of Object.values(list)) assert.ok((price?.source.length ?? 0) > 5);
  });

  test("is the example that an operator begins with", () => {
    const text = readFileSync(new URL("../../examples/prices.json", import.meta.url), "utf8");
    assert.deepEqual(parsePrices(JSON.parse(text)), { kind: "prices", prices: PRICES });
  });
});

describe("an operator's table", () => {
  const price = { hourlyUsd: 0.05, source: "our contract" };
  const good = { date: "2026-12-01", regions: { "us-west-2": { natGateway: price } } };

  test("replaces the one that is built in, whole", () => {
    const parsed = parsePrices(good);
    assert.equal(parsed.kind, "prices");
    if (parsed.kind !== "prices") return;
    assert.equal(hourlyPrice(parsed.prices, "us-west-2", "natGateway"), 0.05);
    assert.equal(hourlyPrice(parsed.prices, "us-east-1", "natGateway"), null);
    assert.equal(hourlyPrice(parsed.prices, "us-west-2", "gatewayEndpoint"), null);
  });

  test("a region's own price comes before the one of everywhere", () => {
    const parsed = parsePrices({ ...good, everywhere: { natGateway: { hourlyUsd: 9, source: "list" } } });
    assert.ok(parsed.kind === "prices");
    assert.equal(hourlyPrice(parsed.prices, "us-west-2", "natGateway"), 0.05);
    assert.equal(hourlyPrice(parsed.prices, "us-east-1", "natGateway"), 9);
  });

  const natAs = (value: unknown) => ({ ...good, regions: { "us-west-2": { natGateway: value } } });
  const SLIPS: readonly [unknown, string, RegExp][] = [
    [[], "", /must be an object/],
    [null, "", /must be an object/],
    [{ ...good, date: "1 Dec 2026" }, "date", /such as 2026-11-23/],
    [{ ...good, date: "2026-13-01" }, "date", /such as 2026-11-23/],
    [{ date: "2026-12-01" }, "regions", /must be an object/],
    [{ ...good, currency: "EUR" }, "currency", /not known here; known are date, everywhere, regions/],
    [{ ...good, regions: { "us-esat-1": {} } }, "regions.us-esat-1", /known are us-east-1/],
    [{ ...good, everywhere: { nat: price } }, "everywhere.nat", /known are vpc/],
    [natAs(0.05), "regions.us-west-2.natGateway", /must be an object/],
    [natAs({ ...price, hourlyUsd: "0.05" }), "regions.us-west-2.natGateway.hourlyUsd", /must be a number/],
    [natAs({ ...price, hourlyUsd: -1 }), "regions.us-west-2.natGateway.hourlyUsd", /0 or more/],
    [natAs({ hourlyUsd: 1 }), "regions.us-west-2.natGateway.source", /where the price comes from/],
    [natAs({ ...price, perGb: 1 }), "regions.us-west-2.natGateway.perGb", /known are hourlyUsd, source/],
  ];
  for (const [value, at, problem] of SLIPS)
    test(`is refused at "${at}": ${problem.source}`, () => {
      const parsed = parsePrices(value);
      assert.ok(parsed.kind === "problem");
      assert.equal(parsed.at, at);
      assert.match(parsed.problem, problem);
    });
});
