import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { addressCount, cidr, cidrAt, contains, maskLength, overlaps } from "../domain/cidr.ts";
import { SIZE_MASK, VPC_SIZES } from "../domain/model.ts";
import { chooseZones, layout, usableAddresses } from "./layout.ts";

const ZONES = ["use1-az1", "use1-az2", "use1-az4"];
const blocksOf = (text: string, size: (typeof VPC_SIZES)[number]) => {
  const { privateSubnets, publicSubnets } = layout({ cidr: cidr(text), size, zoneIds: ZONES });
  return [...privateSubnets, ...publicSubnets].map((subnet) => subnet.cidr);
};

describe("layout", () => {
  test("small", () =>
    assert.deepEqual(blocksOf("10.2.0.128/25", "small"), [
      "10.2.0.128/28",
      "10.2.0.144/28",
      "10.2.0.160/28",
      "10.2.0.176/28",
      "10.2.0.192/28",
      "10.2.0.208/28",
    ]));

  test("medium", () =>
    assert.deepEqual(blocksOf("10.2.2.0/23", "medium"), [
      "10.2.2.0/25",
      "10.2.2.128/25",
      "10.2.3.0/25",
      "10.2.3.128/27",
      "10.2.3.160/27",
      "10.2.3.192/27",
    ]));

  test("large", () =>
    assert.deepEqual(blocksOf("10.2.4.0/22", "large"), [
      "10.2.4.0/24",
      "10.2.5.0/24",
      "10.2.6.0/24",
      "10.2.7.0/26",
      "10.2.7.64/26",
      "10.2.7.128/26",
    ]));

  test("keys, places and zones are in zone order", () => {
    const plan = layout({ cidr: cidr("10.2.0.0/25"), size: "small", zoneIds: ZONES });
    assert.equal(plan.version, 1);
    assert.deepEqual(plan.zoneIds, ZONES);
    assert.deepEqual(
      plan.privateSubnets.map(({ key, index }) => [key, index]),
      [
        ["subnet/private/0", 0],
        ["subnet/private/1", 1],
        ["subnet/private/2", 2],
      ],
    );
    assert.deepEqual(
      plan.publicSubnets.map(({ key }) => key),
      ["subnet/public/0", "subnet/public/1", "subnet/public/2"],
    );
  });

  test("usable addresses are those of the table", () => {
    const usable = (text: string, size: (typeof VPC_SIZES)[number]) => {
      const blocks = blocksOf(text, size).map(usableAddresses);
      return [blocks[0], blocks[3]];
    };
    assert.deepEqual(usable("10.2.0.0/25", "small"), [11, 11]);
    assert.deepEqual(usable("10.2.0.0/23", "medium"), [123, 27]);
    assert.deepEqual(usable("10.2.0.0/22", "large"), [251, 59]);
  });

  test("subnets lie inside, apart, none smaller than /28, and leave one whole block over", () => {
    fc.assert(
      fc.property(fc.constantFrom(...VPC_SIZES), fc.nat(0xffffffff), (size, address) => {
        const range = cidrAt(address, SIZE_MASK[size]);
        const blocks = blocksOf(range, size);
        for (const [at, block] of blocks.entries()) {
          assert.ok(contains(range, block));
          assert.ok(maskLength(block) <= 28);
          assert.ok(blocks.every((other, place) => place === at || !overlaps(block, other)));
        }
        const spare = addressCount(range) - blocks.reduce((sum, block) => sum + addressCount(block), 0);
        assert.equal(spare, { small: 32, medium: 32, large: 64 }[size]);
      }),
    );
  });

  test("a wrong mask or number of zones is the caller's mistake", () => {
    assert.throws(() => layout({ cidr: cidr("10.2.0.0/24"), size: "small", zoneIds: ZONES }), RangeError);
    assert.throws(
      () =>
        layout({ cidr: cidr("10.2.0.0/25"), size: "small", zoneIds: ["use1-az1", "use1-az1", "use1-az2"] }),
      RangeError,
    );
  });
});

describe("chooseZones", () => {
  const zones = ["use1-az6", "use1-az10", "use1-az2", "use1-az3", "use1-az1"].map((id) => ({ id }));

  test("the three lowest that are not excluded, by number", () => {
    assert.deepEqual(chooseZones(zones, ["use1-az3"]), {
      kind: "zones",
      zoneIds: ["use1-az1", "use1-az2", "use1-az6"],
    });
    assert.deepEqual(chooseZones(zones, ["use1-az1", "use1-az2"]), {
      kind: "zones",
      zoneIds: ["use1-az3", "use1-az6", "use1-az10"],
    });
  });

  test("too few says how many are missing", () =>
    assert.deepEqual(chooseZones(zones.slice(0, 2), ["use1-az10"]), {
      kind: "short",
      missing: 2,
      zoneIds: ["use1-az6"],
    }));
});
