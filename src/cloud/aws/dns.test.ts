import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dnsMemory } from "./dns.ts";

const HOUR = 3_600_000;

function memory() {
  let now = 5_000;
  const dns = dnsMemory({ now: () => now, sleep: async () => {} });
  return { dns, later: (ms: number) => (now += ms) };
}

const hostnames = (vpcId: string) => ({ vpcId, attribute: "enableDnsHostnames" }) as const;
const support = (vpcId: string) => ({ vpcId, attribute: "enableDnsSupport" }) as const;

describe("dnsMemory", () => {
  test("reads what was never read first, hostnames before support, and no more than allowed", () => {
    const { dns } = memory();
    assert.deepEqual(dns.due(["vpc-1", "vpc-2"], 3), [
      hostnames("vpc-1"),
      hostnames("vpc-2"),
      support("vpc-1"),
    ]);
  });

  test("trusts what is on for an hour, and reads again what is off", () => {
    const { dns, later } = memory();
    dns.learn(hostnames("vpc-1"), false);
    dns.learn(support("vpc-1"), true);
    assert.deepEqual(dns.due(["vpc-1"], 9), [hostnames("vpc-1")]);
    assert.equal(dns.known(hostnames("vpc-1")), false);
    dns.learn(hostnames("vpc-1"), true);
    assert.deepEqual(dns.due(["vpc-1"], 9), []);
    later(HOUR);
    assert.deepEqual(dns.due(["vpc-1"], 9), [hostnames("vpc-1"), support("vpc-1")]);
  });

  test("forgets a VPC that is gone", () => {
    const { dns } = memory();
    dns.learn(hostnames("vpc-1"), false);
    dns.forget("vpc-1");
    assert.equal(dns.known(hostnames("vpc-1")), true);
  });

  test("stays bounded", () => {
    const { dns } = memory();
    for (let n = 0; n < 30_000; n++) dns.learn(hostnames(`vpc-${n}`), false);
    assert.equal(dns.known(hostnames("vpc-0")), true);
    assert.equal(dns.known(hostnames("vpc-29999")), false);
  });
});
