/** Hosts of functions: one for each interface that an active function leaves by, from the moment it does. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FunctionRow } from "../serviceRows.ts";
import type { Tables } from "../world.ts";
import { nextMoment } from "./moments.ts";
import { topologyOf } from "./reading.ts";
import { functionRow, interfaceRow, lookAt, NOW, subnetRow, vpcRow } from "./testing/rows.ts";

const ATTACHMENT = {
  id: "ela-attach-1",
  ownerId: "amazon-aws",
  deviceIndex: 1,
  at: NOW,
  deleteOnTermination: false,
};

/** A VPC with two interfaces of Lambda's, and those functions. */
function look(...functions: readonly FunctionRow[]) {
  return lookAt((tables: Tables) => {
    tables.vpcs.put(vpcRow("vpc-1", "10.1.0.0/16"));
    tables.subnets.put(subnetRow("subnet-0000001", "vpc-1", "10.1.0.0/24"));
    for (const [at, id] of ["eni-a", "eni-b"].entries())
      tables.interfaces.put(
        interfaceRow(id, "vpc-1", { privateIp: `10.1.0.1${at}`, attachment: ATTACHMENT, groupIds: ["sg-1"] }),
      );
    for (const row of functions) tables.functions.put(row);
  });
}

function hostsOf(row: FunctionRow, now = NOW): string[] {
  return topologyOf({ ...look(row), now }).hosts.map(({ id }) => id);
}

describe("hosts of functions", () => {
  test("are shared by the functions that leave by one interface, and take no connection", () => {
    const both = ["one", "two"].map((name) => functionRow(name, { interfaceIds: ["eni-a"] }));
    const { hosts, routers } = topologyOf(look(...both));
    assert.deepEqual(hosts, [{ id: "eni-a", vpcId: "vpc-1", kind: "function" }]);
    const ports = routers[0]?.ports.map(
      ({ id, hostId, device, privateIp, groupIds, isOpen, isOutboundOnly }) => ({
        ...{ id, hostId, device, privateIp, groupIds, isOpen, isOutboundOnly },
      }),
    );
    assert.deepEqual(ports, [
      {
        ...{ id: "eni-a", hostId: "eni-a", device: "eth0", privateIp: "10.1.0.10", groupIds: ["sg-1"] },
        ...{ isOpen: false, isOutboundOnly: true },
      },
    ]);
  });

  test("are there while the function is active", () => {
    const pending = functionRow("f", { interfaceIds: ["eni-a"], activeAt: NOW + 5 });
    assert.deepEqual(hostsOf(pending), []);
    assert.deepEqual(hostsOf(pending, NOW + 5), ["eni-a"]);
    assert.equal(nextMoment(look(pending).tables, NOW), NOW + 5);
    const { activeAt: _, ...unborn } = pending;
    assert.deepEqual(hostsOf({ ...unborn, failsAt: NOW - 1 }), []);
  });

  test("change when an update ends, without anybody asking; not when it fails", () => {
    const update = { endsAt: NOW + 5, interfaceIds: ["eni-b"] };
    const moving = functionRow("f", { interfaceIds: ["eni-a"], update });
    assert.deepEqual(hostsOf(moving), ["eni-a"]);
    assert.deepEqual(hostsOf(moving, NOW + 5), ["eni-b"]);
    assert.equal(nextMoment(look(moving).tables, NOW), NOW + 5);
    const failure = { code: "EniLimitExceeded", message: "" };
    assert.deepEqual(hostsOf({ ...moving, update: { ...update, failure } }, NOW + 5), ["eni-a"]);
    assert.deepEqual(hostsOf({ ...moving, update: { ...update, interfaceIds: [] } }, NOW + 5), []);
  });

  test("an interface that nobody leaves by any more has none", () => {
    assert.deepEqual(topologyOf(look()).hosts, []);
  });
});
