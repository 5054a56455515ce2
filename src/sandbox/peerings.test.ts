/** Peering connections as two accounts and two regions see them, through all their states. */
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import {
  AcceptVpcPeeringConnectionCommand,
  AssociateVpcCidrBlockCommand,
  CreateTagsCommand,
  CreateVpcPeeringConnectionCommand,
  type CreateVpcPeeringConnectionCommandInput,
  DeleteVpcCommand,
  DeleteVpcPeeringConnectionCommand,
  DescribeVpcPeeringConnectionsCommand,
  type EC2Client,
  ModifyVpcAttributeCommand,
  ModifyVpcPeeringConnectionOptionsCommand,
  RejectVpcPeeringConnectionCommand,
} from "@aws-sdk/client-ec2";
import { settings } from "./settings.ts";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeVpc } from "./testNetwork.ts";

const CUSTOMER = "222222222222";
const PLATFORM = "111111111111";
const HOUR = 3_600_000;
const quick = settings("quick");

describe("VPC peering connections", () => {
  let sandbox: TestSandbox | undefined;
  let customer: EC2Client;
  let platform: EC2Client;
  let theirs: string;
  let ours: string;

  async function start(overrides = {}): Promise<TestSandbox> {
    await sandbox?.close();
    sandbox = await startSandbox({ settings: { peeringInitiatingMs: 1_000, ...overrides } });
    customer = sandbox.client(CUSTOMER, "eu-west-1");
    platform = sandbox.client(PLATFORM, "eu-west-1");
    theirs = await makeVpc(customer, "10.50.0.0/16");
    ours = await makeVpc(platform, "10.60.0.0/16");
    return sandbox;
  }

  let world: TestSandbox;
  beforeEach(async () => {
    world = await start();
  });
  after(() => sandbox?.close());

  async function request(change: Partial<CreateVpcPeeringConnectionCommandInput> = {}): Promise<string> {
    const input = { VpcId: theirs, PeerVpcId: ours, PeerOwnerId: PLATFORM, ...change };
    const { VpcPeeringConnection } = await customer.send(new CreateVpcPeeringConnectionCommand(input));
    return VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
  }

  const seenBy = async (client: EC2Client, id: string) =>
    (await client.send(new DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds: [id] })))
      .VpcPeeringConnections?.[0];
  const accept = (client: EC2Client, id: string) =>
    client.send(new AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId: id }));
  const reject = (client: EC2Client, id: string) =>
    client.send(new RejectVpcPeeringConnectionCommand({ VpcPeeringConnectionId: id }));
  const remove = (client: EC2Client, id: string) =>
    client.send(new DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId: id }));

  async function pending(): Promise<string> {
    const id = await request();
    world.clock.advance(1_000);
    return id;
  }

  async function active(): Promise<string> {
    const id = await pending();
    await accept(platform, id);
    world.clock.advance(quick.peeringProvisioningMs);
    return id;
  }

  test("initiating-request, pending-acceptance, provisioning, active, deleted: as both sides see it", async () => {
    const id = await request();
    const first = await seenBy(customer, id);
    assert.deepEqual(first?.Status, {
      Code: "initiating-request",
      Message: `Initiating Request to ${PLATFORM}`,
    });
    await assert.rejects(seenBy(platform, id), { name: "InvalidVpcPeeringConnectionID.NotFound" });
    world.clock.advance(1_000);
    for (const client of [customer, platform]) {
      const seen = await seenBy(client, id);
      assert.deepEqual(seen?.Status, {
        Code: "pending-acceptance",
        Message: `Pending Acceptance by ${PLATFORM}`,
      });
      assert.equal(seen?.ExpirationTime?.getTime(), world.clock.now() - 1_000 + 7 * 24 * HOUR);
      assert.equal(seen?.RequesterVpcInfo?.CidrBlock, "10.50.0.0/16");
      assert.equal(seen?.AccepterVpcInfo?.CidrBlock, undefined);
    }
    const { VpcPeeringConnection } = await accept(platform, id);
    assert.equal(VpcPeeringConnection?.Status?.Code, "provisioning");
    world.clock.advance(quick.peeringProvisioningMs);
    for (const client of [customer, platform]) {
      const seen = await seenBy(client, id);
      assert.deepEqual(seen?.Status, { Code: "active", Message: "Active" });
      assert.equal(seen?.ExpirationTime, undefined);
      assert.deepEqual(seen?.AccepterVpcInfo?.CidrBlockSet, [{ CidrBlock: "10.60.0.0/16" }]);
      assert.equal(seen?.RequesterVpcInfo?.OwnerId, CUSTOMER);
    }
    await remove(customer, id);
    for (const client of [customer, platform])
      assert.deepEqual((await seenBy(client, id))?.Status, {
        Code: "deleted",
        Message: `Deleted by ${CUSTOMER}`,
      });
  });

  test("the requester's blocks are hidden while pending if the setting says so", async () => {
    world = await start({ peeringCidrsShownWhilePending: false });
    const seen = await seenBy(platform, await pending());
    assert.equal(seen?.RequesterVpcInfo?.CidrBlock, undefined);
    assert.equal(seen?.RequesterVpcInfo?.CidrBlockSet, undefined);
  });

  test("blocks of an active peering are those of the VPCs now", async () => {
    const id = await active();
    await customer.send(new AssociateVpcCidrBlockCommand({ VpcId: theirs, CidrBlock: "10.51.0.0/16" }));
    assert.deepEqual((await seenBy(platform, id))?.RequesterVpcInfo?.CidrBlockSet, [
      { CidrBlock: "10.50.0.0/16" },
      { CidrBlock: "10.51.0.0/16" },
    ]);
  });

  test("only the accepter's account accepts, in the accepter's region, and once", async () => {
    const id = await pending();
    await assert.rejects(accept(customer, id), {
      name: "OperationNotPermitted",
      message: `User ${CUSTOMER} cannot accept peering ${id}`,
    });
    for (const stranger of [world.client("333333333333", "eu-west-1"), world.client(PLATFORM, "us-east-1")])
      await assert.rejects(accept(stranger, id), { name: "InvalidVpcPeeringConnectionID.NotFound" });
    await accept(platform, id);
    await assert.rejects(accept(platform, id), { name: "InvalidStateTransition" });
    await assert.rejects(reject(platform, id), { name: "InvalidStateTransition" });
  });

  test("between regions it is accepted in the other region and passes deleting", async () => {
    const far = world.client(CUSTOMER, "us-east-1");
    const farVpc = await makeVpc(far, "10.70.0.0/16");
    const id = await request({ PeerVpcId: farVpc, PeerOwnerId: CUSTOMER, PeerRegion: "us-east-1" });
    world.clock.advance(1_000);
    await assert.rejects(accept(customer, id), { name: "OperationNotPermitted" });
    await accept(far, id);
    world.clock.advance(quick.peeringProvisioningMs);
    assert.equal((await seenBy(customer, id))?.AccepterVpcInfo?.Region, "us-east-1");
    await remove(far, id);
    assert.equal((await seenBy(customer, id))?.Status?.Code, "deleting");
    world.clock.advance(quick.peeringDeletingMs);
    assert.equal((await seenBy(customer, id))?.Status?.Code, "deleted");
  });

  test("a rejected request stays visible to its requester longer", async () => {
    const id = await pending();
    await assert.rejects(reject(customer, id), { name: "OperationNotPermitted" });
    await reject(platform, id);
    assert.deepEqual((await seenBy(customer, id))?.Status, {
      Code: "rejected",
      Message: `Rejected by ${PLATFORM}`,
    });
    await assert.rejects(accept(platform, id), { name: "InvalidStateTransition" });
    await assert.rejects(remove(customer, id), { name: "InvalidStateTransition" });
    world.clock.advance(2 * HOUR);
    await assert.rejects(seenBy(platform, id), { name: "InvalidVpcPeeringConnectionID.NotFound" });
    assert.equal((await seenBy(customer, id))?.Status?.Code, "rejected");
    world.clock.advance(46 * HOUR);
    await assert.rejects(seenBy(customer, id), { name: "InvalidVpcPeeringConnectionID.NotFound" });
  });

  test("a request nobody accepts expires after seven days", async () => {
    const id = await request();
    world.clock.advance(7 * 24 * HOUR - 1);
    assert.equal((await seenBy(platform, id))?.Status?.Code, "pending-acceptance");
    world.clock.advance(1);
    assert.equal((await seenBy(platform, id))?.Status?.Code, "expired");
    await assert.rejects(accept(platform, id), { name: "InvalidStateTransition" });
    world.clock.advance(48 * HOUR);
    await assert.rejects(seenBy(customer, id), { name: "InvalidVpcPeeringConnectionID.NotFound" });
  });

  test("overlapping blocks, primary or secondary, make it fail", async () => {
    const overlapping = await makeVpc(platform, "10.50.128.0/17");
    const second = await makeVpc(platform, "10.61.0.0/16");
    await platform.send(new AssociateVpcCidrBlockCommand({ VpcId: second, CidrBlock: "10.50.0.0/24" }));
    for (const PeerVpcId of [overlapping, second]) {
      const id = await request({ PeerVpcId });
      world.clock.advance(1_000);
      const seen = await seenBy(customer, id);
      assert.equal(seen?.Status?.Code, "failed");
      assert.match(seen?.Status?.Message ?? "", /overlapping CIDR range/);
      await assert.rejects(remove(customer, id), {
        name: "InvalidStateTransition",
        message: `Invalid state transition for ${id}, attempted to transition from failed to deleting`,
      });
      await assert.rejects(seenBy(platform, id), { name: "InvalidVpcPeeringConnectionID.NotFound" });
    }
  });

  test("a VPC of another account that is not there makes it fail; one of our own is an error", async () => {
    const id = await request({ PeerVpcId: "vpc-00000000000000000" });
    world.clock.advance(1_000);
    assert.equal((await seenBy(customer, id))?.Status?.Code, "failed");
    world.clock.advance(2 * HOUR);
    await assert.rejects(seenBy(customer, id), { name: "InvalidVpcPeeringConnectionID.NotFound" });
    const own = { PeerVpcId: "vpc-00000000000000000", PeerOwnerId: CUSTOMER };
    await assert.rejects(request(own), { name: "InvalidVpcID.NotFound" });
    await assert.rejects(request({ PeerVpcId: theirs, PeerOwnerId: CUSTOMER }), {
      name: "InvalidParameterValue",
    });
    await assert.rejects(request({ PeerVpcId: undefined }), { name: "MissingParameter" });
    await assert.rejects(request({ PeerRegion: "mars-north-1" }), { name: "InvalidParameterValue" });
  });

  test("a block that overlaps, added by the accepter, makes a pending request fail", async () => {
    const id = await pending();
    await platform.send(new AssociateVpcCidrBlockCommand({ VpcId: ours, CidrBlock: "10.50.7.0/24" }));
    assert.equal((await seenBy(customer, id))?.Status?.Code, "failed");
    await assert.rejects(accept(platform, id), { name: "InvalidVpcPeeringConnectionID.NotFound" });
  });

  test("the same request again is the same connection; the other way round it cannot be accepted", async () => {
    const id = await active();
    assert.equal(await request(), id);
    const { VpcPeeringConnection } = await platform.send(
      new CreateVpcPeeringConnectionCommand({ VpcId: ours, PeerVpcId: theirs, PeerOwnerId: CUSTOMER }),
    );
    const back = VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
    assert.notEqual(back, id);
    world.clock.advance(1_000);
    await assert.rejects(accept(customer, back), { name: "VpcPeeringConnectionAlreadyExists" });
    await remove(platform, id);
    await accept(customer, back);
  });

  test("a pending request is the requester's to delete, an active connection either's", async () => {
    const id = await pending();
    await assert.rejects(remove(platform, id), { name: "OperationNotPermitted" });
    await remove(customer, id);
    await assert.rejects(remove(customer, id), { name: "InvalidStateTransition" });
    const next = await active();
    assert.notEqual(next, id);
    await remove(platform, next);
    assert.equal((await seenBy(customer, next))?.Status?.Message, `Deleted by ${PLATFORM}`);
    world.clock.advance(2 * HOUR);
    await assert.rejects(seenBy(platform, next), { name: "InvalidVpcPeeringConnectionID.NotFound" });
    assert.equal((await seenBy(customer, next))?.Status?.Code, "deleted");
  });

  test("each side has its own tags", async () => {
    const Tags = [{ Key: "team", Value: "analytics" }];
    const id = await request({ TagSpecifications: [{ ResourceType: "vpc-peering-connection", Tags }] });
    world.clock.advance(1_000);
    await platform.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: "dataset", Value: "d1" }] }));
    assert.deepEqual((await seenBy(customer, id))?.Tags, Tags);
    assert.deepEqual((await seenBy(platform, id))?.Tags, [{ Key: "dataset", Value: "d1" }]);
    const found = async (client: EC2Client) => {
      const Filters = [{ Name: "tag:dataset", Values: ["d1"] }];
      const page = await client.send(new DescribeVpcPeeringConnectionsCommand({ Filters }));
      return page.VpcPeeringConnections?.map((one) => one.VpcPeeringConnectionId);
    };
    assert.deepEqual(await found(platform), [id]);
    assert.deepEqual(await found(customer), []);
  });

  test("DNS options need an active connection, one's own side, and DNS hostnames in both VPCs", async () => {
    const dns = { AllowDnsResolutionFromRemoteVpc: true };
    const modify = (client: EC2Client, id: string, which: "Accepter" | "Requester") =>
      client.send(
        new ModifyVpcPeeringConnectionOptionsCommand({
          VpcPeeringConnectionId: id,
          [`${which}PeeringConnectionOptions`]: dns,
        }),
      );
    const id = await pending();
    await assert.rejects(modify(platform, id, "Accepter"), {
      name: "OperationNotPermitted",
      message: `Peering ${id} is not active. Peering options can be added only to active peerings.`,
    });
    await accept(platform, id);
    world.clock.advance(quick.peeringProvisioningMs);
    await assert.rejects(modify(platform, id, "Accepter"), {
      name: "InvalidVpcPeeringConnectionState.DnsHostnamesDisabled",
    });
    const on = { EnableDnsHostnames: { Value: true } };
    await platform.send(new ModifyVpcAttributeCommand({ VpcId: ours, ...on }));
    await customer.send(new ModifyVpcAttributeCommand({ VpcId: theirs, ...on }));
    await assert.rejects(modify(platform, id, "Requester"), { name: "OperationNotPermitted" });
    const answer = await modify(platform, id, "Accepter");
    assert.equal(answer.AccepterPeeringConnectionOptions?.AllowDnsResolutionFromRemoteVpc, true);
    const seen = await seenBy(customer, id);
    assert.equal(seen?.AccepterVpcInfo?.PeeringOptions?.AllowDnsResolutionFromRemoteVpc, true);
    assert.equal(seen?.RequesterVpcInfo?.PeeringOptions?.AllowDnsResolutionFromRemoteVpc, false);
  });

  test("filters find it by state, owner, VPC and block", async () => {
    const id = await active();
    const found = async (Name: string, value: string) => {
      const Filters = [{ Name, Values: [value] }];
      const page = await platform.send(new DescribeVpcPeeringConnectionsCommand({ Filters }));
      return page.VpcPeeringConnections?.map((one) => one.VpcPeeringConnectionId);
    };
    for (const [name, value] of [
      ["status-code", "active"],
      ["requester-vpc-info.owner-id", CUSTOMER],
      ["requester-vpc-info.cidr-block", "10.50.0.0/16"],
      ["accepter-vpc-info.vpc-id", ours],
      ["vpc-peering-connection-id", id],
    ] as const) {
      assert.deepEqual(await found(name, value), [id], name);
      assert.deepEqual(await found(name, "something else"), [], name);
    }
  });

  test("a pending request of another account keeps the VPC from being deleted", async () => {
    const id = await pending();
    const deleteOurs = () => platform.send(new DeleteVpcCommand({ VpcId: ours }));
    await assert.rejects(deleteOurs(), { name: "DependencyViolation" });
    await reject(platform, id);
    await deleteOurs();
  });
});
