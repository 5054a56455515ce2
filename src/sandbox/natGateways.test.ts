/** NAT gateways over the wire, through all their states on a driven clock. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateNatGatewayCommand,
  CreateNetworkInterfaceCommand,
  DeleteNatGatewayCommand,
  DeleteSubnetCommand,
  DescribeAddressesCommand,
  DescribeNatGatewaysCommand,
  DescribeNetworkInterfacesCommand,
  DetachInternetGatewayCommand,
  type EC2Client,
  ReleaseAddressCommand,
} from "@aws-sdk/client-ec2";
import { settings } from "./settings.ts";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeAddress, makeInternetGateway, makeNatGateway, makeSubnet, makeVpc } from "./testNetwork.ts";

const { natPendingMs, natDeletingMs, natVisibleMs } = settings("quick");

describe("NAT gateways", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;

  before(async () => {
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
  });
  after(() => sandbox.close());

  const natOf = async (id: string) =>
    (await client.send(new DescribeNatGatewaysCommand({ NatGatewayIds: [id] }))).NatGateways?.[0];

  async function publicNetwork() {
    const vpcId = await makeVpc(client);
    const igw = await makeInternetGateway(client, vpcId);
    return { vpcId, igw, subnetId: await makeSubnet(client, vpcId) };
  }

  const interfacesIn = async (subnetId: string) =>
    (
      await client.send(
        new DescribeNetworkInterfacesCommand({ Filters: [{ Name: "subnet-id", Values: [subnetId] }] }),
      )
    ).NetworkInterfaces ?? [];

  test("pending, available, deleting, deleted, forgotten", async () => {
    const { vpcId, subnetId } = await publicNetwork();
    const { id } = await makeNatGateway(client, subnetId);
    assert.equal((await natOf(id))?.State, "pending");
    sandbox.clock.advance(natPendingMs - 1);
    assert.equal((await natOf(id))?.State, "pending");
    sandbox.clock.advance(1);
    const nat = await natOf(id);
    assert.equal(nat?.State, "available");
    assert.equal(nat?.VpcId, vpcId);
    assert.equal(nat?.NatGatewayAddresses?.[0]?.PrivateIp, "10.1.0.4");
    await client.send(new DeleteNatGatewayCommand({ NatGatewayId: id }));
    assert.equal((await natOf(id))?.State, "deleting");
    sandbox.clock.advance(natDeletingMs);
    assert.equal((await natOf(id))?.State, "deleted");
    await client.send(new DeleteNatGatewayCommand({ NatGatewayId: id }));
    sandbox.clock.advance(natVisibleMs);
    await assert.rejects(natOf(id), { name: "NatGatewayNotFound" });
    await assert.rejects(client.send(new DeleteNatGatewayCommand({ NatGatewayId: id })), {
      name: "NatGatewayNotFound",
    });
  });

  test("its interface and address are its own until it is deleted", async () => {
    const { vpcId, igw, subnetId } = await publicNetwork();
    const { id, allocationId: AllocationId } = await makeNatGateway(client, subnetId);
    const [own] = await interfacesIn(subnetId);
    assert.equal(own?.InterfaceType, "nat_gateway");
    assert.equal(own?.RequesterManaged, true);
    assert.equal(own?.Status, "in-use");
    assert.equal(own?.Description, `Interface for NAT Gateway ${id}`);
    const detach = () =>
      client.send(new DetachInternetGatewayCommand({ InternetGatewayId: igw, VpcId: vpcId }));
    await assert.rejects(detach(), { name: "DependencyViolation" });
    await assert.rejects(client.send(new DeleteSubnetCommand({ SubnetId: subnetId })), {
      name: "DependencyViolation",
    });
    await client.send(new DeleteNatGatewayCommand({ NatGatewayId: id }));
    await assert.rejects(client.send(new ReleaseAddressCommand({ AllocationId })), { name: "AuthFailure" });
    sandbox.clock.advance(natDeletingMs);
    assert.deepEqual(await interfacesIn(subnetId), []);
    const { Addresses } = await client.send(new DescribeAddressesCommand({ AllocationIds: [AllocationId] }));
    assert.equal(Addresses?.[0]?.AssociationId, undefined);
    await client.send(new ReleaseAddressCommand({ AllocationId }));
    await detach();
    await client.send(new DeleteSubnetCommand({ SubnetId: subnetId }));
  });

  test("its address cannot be released for a while after it is deleted, though it is free", async () => {
    const lag = 10_000;
    await sandbox.own("PATCH settings", { eipReleaseLagMs: lag });
    const { subnetId } = await publicNetwork();
    const { id, allocationId: AllocationId } = await makeNatGateway(client, subnetId);
    const release = () => client.send(new ReleaseAddressCommand({ AllocationId }));
    await assert.rejects(release(), { name: "InvalidIPAddress.InUse" });
    await client.send(new DeleteNatGatewayCommand({ NatGatewayId: id }));
    await assert.rejects(release(), { name: "AuthFailure" });
    sandbox.clock.advance(natDeletingMs);
    const { Addresses } = await client.send(new DescribeAddressesCommand({ AllocationIds: [AllocationId] }));
    assert.equal(Addresses?.[0]?.AssociationId, undefined);
    sandbox.clock.advance(lag - 1);
    await assert.rejects(release(), { name: "AuthFailure" });
    sandbox.clock.advance(1);
    await release();
    await sandbox.own("PATCH settings", { eipReleaseLagMs: 0 });
  });

  test("without an internet gateway it fails after a while, and leaves its address free", async () => {
    const subnetId = await makeSubnet(client, await makeVpc(client));
    const { id, allocationId } = await makeNatGateway(client, subnetId);
    assert.equal((await natOf(id))?.State, "pending");
    sandbox.clock.advance(natPendingMs);
    const nat = await natOf(id);
    assert.equal(nat?.State, "failed");
    assert.equal(nat?.FailureCode, "Gateway.NotAttached");
    assert.match(nat?.FailureMessage ?? "", /has no Internet gateway attached$/);
    assert.deepEqual(nat?.NatGatewayAddresses, [{ AllocationId: allocationId }]);
    assert.deepEqual(await interfacesIn(subnetId), []);
    await client.send(new ReleaseAddressCommand({ AllocationId: allocationId }));
    sandbox.clock.advance(natVisibleMs);
    await assert.rejects(natOf(id), { name: "NatGatewayNotFound" });
  });

  test("with an address that is taken it fails after a while, and leaves the address where it is", async () => {
    const { subnetId } = await publicNetwork();
    const { id: first, allocationId } = await makeNatGateway(client, subnetId);
    const input = { SubnetId: subnetId, AllocationId: allocationId };
    const { NatGateway } = await client.send(new CreateNatGatewayCommand(input));
    assert.equal(NatGateway?.State, "pending");
    sandbox.clock.advance(natPendingMs);
    const second = await natOf(NatGateway?.NatGatewayId ?? "");
    assert.deepEqual([second?.State, second?.FailureCode], ["failed", "Resource.AlreadyAssociated"]);
    const { NatGatewayAddresses } = (await natOf(first)) ?? {};
    assert.match(NatGatewayAddresses?.[0]?.AssociationId ?? "", /^eipassoc-/);
  });

  test("without a free address in the subnet it fails after a while, and holds none", async () => {
    const vpcId = await makeVpc(client);
    await makeInternetGateway(client, vpcId);
    const subnetId = await makeSubnet(client, vpcId, "10.1.0.0/28");
    for (let i = 0; i < 11; i++) await client.send(new CreateNetworkInterfaceCommand({ SubnetId: subnetId }));
    const { id, allocationId } = await makeNatGateway(client, subnetId);
    assert.deepEqual((await natOf(id))?.NatGatewayAddresses, [{ AllocationId: allocationId }]);
    sandbox.clock.advance(natPendingMs);
    const nat = await natOf(id);
    assert.deepEqual([nat?.State, nat?.FailureCode], ["failed", "InsufficientFreeAddressesInSubnet"]);
    assert.equal((await interfacesIn(subnetId)).length, 11);
    await client.send(new ReleaseAddressCommand({ AllocationId: allocationId }));
  });

  test("a client token answers with the same gateway, even a failed one, and no other request", async () => {
    const SubnetId = await makeSubnet(client, await makeVpc(client));
    const input = { SubnetId, AllocationId: await makeAddress(client), ClientToken: "network-1/nat/1" };
    const create = (change = {}) => client.send(new CreateNatGatewayCommand({ ...input, ...change }));
    const first = await create();
    assert.equal((await create()).NatGateway?.NatGatewayId, first.NatGateway?.NatGatewayId);
    sandbox.clock.advance(natPendingMs);
    const again = await create();
    assert.equal(again.NatGateway?.NatGatewayId, first.NatGateway?.NatGatewayId);
    assert.equal(again.NatGateway?.State, "failed");
    await assert.rejects(create({ PrivateIpAddress: "10.1.0.9" }), { name: "IdempotentParameterMismatch" });
  });

  test("what it needs must be there and be free", async () => {
    const { subnetId: SubnetId } = await publicNetwork();
    await makeNatGateway(client, SubnetId);
    const create = (input: object) => client.send(new CreateNatGatewayCommand({ SubnetId, ...input }));
    await assert.rejects(create({ AllocationId: "eipalloc-00000000000000000" }), {
      name: "InvalidElasticIpID.NotFound",
    });
    await assert.rejects(create({}), { name: "MissingParameter" });
    const AllocationId = await makeAddress(client);
    await assert.rejects(create({ AllocationId, SubnetId: "subnet-00000000000000000" }), {
      name: "InvalidSubnetID.NotFound",
    });
    await assert.rejects(create({ AllocationId, ConnectivityType: "private" }), {
      name: "InvalidParameterCombination",
    });
    await assert.rejects(create({ AllocationId, PrivateIpAddress: "10.1.0.4" }), {
      name: "InvalidIPAddress.InUse",
    });
  });

  test("a private one has no public address and needs no internet gateway", async () => {
    const SubnetId = await makeSubnet(client, await makeVpc(client));
    const { NatGateway } = await client.send(
      new CreateNatGatewayCommand({ SubnetId, ConnectivityType: "private", PrivateIpAddress: "10.1.0.10" }),
    );
    sandbox.clock.advance(natPendingMs);
    const nat = await natOf(NatGateway?.NatGatewayId ?? "");
    assert.equal(nat?.State, "available");
    assert.equal(nat?.NatGatewayAddresses?.[0]?.PrivateIp, "10.1.0.10");
    assert.equal(nat?.NatGatewayAddresses?.[0]?.PublicIp, undefined);
  });

  test("many are described by filter, page by page", async () => {
    const { vpcId, subnetId } = await publicNetwork();
    const ids: string[] = [];
    for (let n = 0; n < 6; n++) ids.push((await makeNatGateway(client, subnetId)).id);
    const Filter = [
      { Name: "vpc-id", Values: [vpcId] },
      { Name: "state", Values: ["pending", "available"] },
    ];
    const first = await client.send(new DescribeNatGatewaysCommand({ Filter, MaxResults: 5 }));
    const rest = await client.send(
      new DescribeNatGatewaysCommand({ Filter, MaxResults: 5, NextToken: first.NextToken }),
    );
    const seen = [...(first.NatGateways ?? []), ...(rest.NatGateways ?? [])].map((one) => one.NatGatewayId);
    assert.deepEqual(seen, ids.toSorted());
    assert.equal(rest.NextToken, undefined);
  });
});
