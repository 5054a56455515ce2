import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cidr } from "../../domain/cidr.ts";
import { startSandbox, type TestSandbox } from "../../sandbox/testing.ts";
import { NotSent, type StepCall } from "../cloud.ts";
import type { AwsCloud } from "./ec2.ts";
import { errandOf, errandOfLook } from "./errand.ts";
import { cellIn, handsOn, hurriedClock, networkRef, startWire, type Wire } from "./testing.ts";

const HOME = cellIn("us-east-1");
const CREATE: StepCall = {
  network: networkRef("one"),
  step: { do: "allocateAddress", key: "eip/0" },
  attempt: 1,
};

let sandbox: TestSandbox;
let wire: Wire;

before(async () => {
  sandbox = await startSandbox();
  wire = await startWire(sandbox.url);
});

after(async () => {
  await wire?.close();
  await sandbox?.close();
});

/** Hands on a clock that stands still: an empty bucket stays empty. */
async function standing<T>(work: (cloud: AwsCloud) => Promise<T>): Promise<T> {
  const cloud = handsOn(wire.url, sandbox.clock);
  try {
    return await work(cloud);
  } finally {
    cloud.close();
  }
}

async function emptied(cloud: AwsCloud): Promise<void> {
  for (let call = 0; call < 50; call++) await cloud.turn(HOME, CREATE);
}

describe("who goes first", () => {
  test("what takes something away is urgent, what makes something is not", () => {
    const rank = (step: StepCall["step"]) => errandOf({ ...CREATE, step }).rank;
    assert.equal(rank({ do: "deleteNatGateway", key: "nat/0", natGatewayId: "nat-1" }), "urgent");
    assert.equal(rank({ do: "releaseAddress", key: "eip/0", allocationId: "eipalloc-1" }), "urgent");
    assert.equal(rank({ do: "deleteEndpoint", key: "endpoint/s3", endpointId: "vpce-1" }), "urgent");
    assert.equal(rank({ do: "rejectPeering", key: "peering/x", peeringId: "pcx-1" }), "urgent");
    assert.equal(rank({ do: "createVpc", key: "vpc", cidr: cidr("10.2.0.0/25") }), "normal");
    assert.equal(rank({ do: "acceptPeering", key: "peering/x", peeringId: "pcx-1" }), "normal");
  });

  test("a look at few networks goes before one at many", () => {
    const refs = (count: number) => Array.from({ length: count }, (_, index) => networkRef(`${index}`));
    assert.equal(errandOfLook(refs(1)).rank, "urgent");
    assert.equal(errandOfLook(refs(100)).rank, "normal");
  });
});

describe("the turn of a create", () => {
  test("is one token: the call it is handed to needs no other, and one without it waits", () =>
    standing(async (cloud) => {
      for (let call = 0; call < 49; call++) await cloud.turn(HOME, CREATE);
      const turn = await cloud.turn(HOME, CREATE);
      assert.match((await cloud.apply(HOME, { ...CREATE, turn })) ?? "", /^eipalloc-/);
      const patience = new AbortController();
      const second = cloud.apply(HOME, { ...CREATE, turn, attempt: 2, signal: patience.signal });
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(cloud.pressure()[0]?.waiting, 1);
      patience.abort();
      await assert.rejects(second, NotSent);
    }));

  test("ends with the signal: nothing is sent, and it says what it waited for", () =>
    standing(async (cloud) => {
      await emptied(cloud);
      const before = wire.sent.length;
      const patience = new AbortController();
      const waiting = cloud.turn(HOME, { ...CREATE, signal: patience.signal });
      patience.abort();
      await assert.rejects(waiting, (error) => {
        assert.ok(error instanceof NotSent);
        assert.equal(error.code, "conflict");
        assert.match(
          error.message,
          /^waits for AWS's rate limit of AllocateAddress: 0 calls ahead, about 1 s$/,
        );
        return true;
      });
      assert.equal(wire.sent.length, before);
    }));

  test("a step that waits is not sent either, and a look is not begun", () =>
    standing(async (cloud) => {
      const signal = AbortSignal.abort();
      const step = { do: "releaseAddress", key: "eip/0", allocationId: "eipalloc-1" } as const;
      await assert.rejects(cloud.apply(HOME, { ...CREATE, step, signal }), NotSent);
      await assert.rejects(cloud.observe(HOME, [networkRef("one")], signal), NotSent);
    }));
});

test("those who ask for the zones at the same time share the question", async () => {
  const cloud = handsOn(wire.url, hurriedClock(sandbox.clock));
  const before = wire.sent.length;
  const [zones] = await Promise.all(Array.from({ length: 100 }, () => cloud.zones(HOME)));
  assert.ok((zones?.length ?? 0) >= 3);
  assert.equal(wire.sent.length - before, 1);
  await cloud.zones(HOME);
  assert.equal(wire.sent.length - before, 2);
  cloud.close();
});
