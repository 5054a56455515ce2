import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CreateVpcPeeringConnectionCommand } from "@aws-sdk/client-ec2";
import { cidr } from "../../domain/cidr.ts";
import {
  ACCOUNT,
  cellIn,
  handsOn,
  hurriedClock,
  networkRef,
  rejection,
  stepper,
  wiredSandbox,
} from "./testing.ts";

const CUSTOMER = "222222222222";
const HOME = cellIn("us-east-1");

const { sandbox, cloud } = await wiredSandbox();

/** A request of the customer's to peer with that VPC of ours, pending by now. */
async function requestPeering(vpcId: string, range: string): Promise<string> {
  const customer = handsOn(sandbox.url, hurriedClock(sandbox.clock), CUSTOMER);
  const there = cellIn("us-west-2", CUSTOMER);
  const { act, made } = stepper(customer, there, networkRef(`customer-${range}`));
  const theirs = await made({ do: "createVpc", key: "vpc", cidr: cidr(range) });
  sandbox.clock.advance(60_000);
  await act({ do: "setDnsHostnames", key: "vpc", vpcId: theirs });
  const answer = await sandbox.client(CUSTOMER, "us-west-2").send(
    new CreateVpcPeeringConnectionCommand({
      VpcId: theirs,
      PeerVpcId: vpcId,
      PeerOwnerId: ACCOUNT,
      PeerRegion: "us-east-1",
    }),
  );
  customer.close();
  sandbox.clock.advance(60_000);
  return answer.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
}

/** A VPC of ours with one table, pending no more. */
async function home(name: string, range: string) {
  const steps = stepper(cloud, HOME, networkRef(name));
  const vpcId = await steps.made({ do: "createVpc", key: "vpc", cidr: cidr(range) });
  sandbox.clock.advance(60_000);
  await steps.act({ do: "setDnsHostnames", key: "vpc", vpcId });
  const tableId = await steps.made({ do: "createRouteTable", key: "table/private/0", vpcId });
  const seen = async () => {
    const [peering] = (await steps.look()).peerings;
    assert.ok(peering);
    return peering;
  };
  return { ...steps, vpcId, tableId, seen };
}

describe("a peering from another account", () => {
  test("is accepted, allowed DNS, routed and deleted", async () => {
    const { act, look, seen, vpcId, tableId } = await home("peered", "10.30.0.0/25");
    const peeringId = await requestPeering(vpcId, "172.16.0.0/16");
    const asked = await seen();
    assert.deepEqual(
      [asked.id, asked.state, asked.requesterAccount, asked.requesterRegion, asked.dnsFromRemote],
      [peeringId, "pending-acceptance", CUSTOMER, "us-west-2", false],
    );
    assert.ok((asked.expiresAt ?? 0) > sandbox.clock.now());
    const key = `peering/${peeringId}`;
    await rejection(act({ do: "allowPeeringDns", key, peeringId }), "conflict");
    await act({ do: "acceptPeering", key, peeringId });
    await rejection(act({ do: "acceptPeering", key, peeringId }), "conflict");
    sandbox.clock.advance(60_000);
    await act({ do: "allowPeeringDns", key, peeringId });
    const active = await seen();
    assert.deepEqual([active.state, active.dnsFromRemote], ["active", true]);
    assert.deepEqual(active.requesterCidrs, ["172.16.0.0/16"]);
    const route = { destination: cidr("172.16.0.0/16"), target: { kind: "peering", id: peeringId } } as const;
    await act({ do: "createRoute", key: "table/private/0", tableId, route });
    await act({ do: "deletePeering", key, peeringId });
    sandbox.clock.advance(60_000);
    const table = (await look()).routeTables.find((one) => one.id === tableId);
    assert.deepEqual(table?.routes, [
      { destination: route.destination, targetId: peeringId, blackhole: true },
    ]);
    assert.equal((await seen()).state, "deleted");
    await rejection(act({ do: "deletePeering", key, peeringId }), "conflict");
  });

  test("is rejected once; after that it is over", async () => {
    const { act, seen, vpcId } = await home("rejected", "10.30.1.0/25");
    const peeringId = await requestPeering(vpcId, "172.17.0.0/16");
    const step = { do: "rejectPeering", key: `peering/${peeringId}`, peeringId } as const;
    await act(step);
    assert.equal((await seen()).state, "rejected");
    await rejection(act(step), "conflict");
  });

  test("does not keep our VPC from being deleted while it is only a request", async () => {
    const { act, look, vpcId, tableId } = await home("leaving", "10.30.2.0/25");
    await requestPeering(vpcId, "172.18.0.0/16");
    await requestPeering(vpcId, "172.19.0.0/16");
    await act({ do: "deleteRouteTable", key: "table/private/0", tableId });
    await act({ do: "deleteVpc", key: "vpc", vpcId });
    const left = await look([vpcId]);
    assert.deepEqual([left.vpcs, left.routeTables, left.groups, left.acls], [[], [], [], []]);
    assert.deepEqual(
      left.peerings.filter((one) => one.state === "pending-acceptance"),
      [],
    );
  });
});
