import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { cidr } from "../../domain/cidr.ts";
import {
  GATEWAY_DEVICE,
  gatewayOf,
  gatewayPeerDevice,
  peeringDevice,
  portDevice,
  resolverOf,
  word,
} from "./names.ts";

/** IFNAMSIZ is 16, the end of the text included. */
const LONGEST = 15;

/** AWS's: 17 digits today, 8 on what is old. */
const ids = fc.oneof(fc.stringMatching(/^[0-9a-f]{17}$/), fc.stringMatching(/^[0-9a-f]{8}$/));

describe("names", () => {
  test("of devices fit into the kernel's, whatever the id", () => {
    fc.assert(
      fc.property(ids, (digits) => {
        const devices = [
          portDevice(`eni-${digits}`),
          peeringDevice(`pcx-${digits}`),
          gatewayPeerDevice(`vpc-${digits}`),
          GATEWAY_DEVICE,
        ];
        for (const device of devices) assert.match(device, new RegExp(`^[a-z][^/\\s:]{1,${LONGEST - 1}}$`));
        assert.equal(new Set(devices).size, devices.length);
      }),
    );
  });

  test("of different ids differ where AWS's ids do", () => {
    const one = "eni-0123456789abcdef0";
    assert.equal(portDevice(one), "e56789abcdef0");
    assert.notEqual(portDevice(one), portDevice("eni-0123456789abcdef1"));
  });

  test("in the filter have no hyphens", () => assert.equal(word("sg-0a-b"), "sg_0a_b"));

  test("a subnet's first address is its router's, a VPC's second its resolver's", () => {
    assert.equal(gatewayOf(cidr("10.1.2.128/25")), "10.1.2.129");
    assert.equal(resolverOf(cidr("10.255.0.0/16")), "10.255.0.2");
  });
});
