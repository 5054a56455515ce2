/** Elastic IPs over the wire: unique, associated, freed, released. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  CreateNetworkInterfaceCommand,
  DescribeAddressesAttributeCommand,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DisassociateAddressCommand,
  type EC2Client,
  ReleaseAddressCommand,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";
import {
  makeAddress,
  makeInstance,
  makeInternetGateway,
  makeNatGateway,
  makeSubnet,
  makeVpc,
} from "./testNetwork.ts";

describe("elastic IP addresses", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;

  before(async () => {
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
  });
  after(() => sandbox.close());

  const addressOf = async (AllocationId: string) =>
    (await client.send(new DescribeAddressesCommand({ AllocationIds: [AllocationId] }))).Addresses?.[0];

  async function publicSubnet(): Promise<string> {
    const vpcId = await makeVpc(client);
    await makeInternetGateway(client, vpcId);
    return makeSubnet(client, vpcId);
  }

  async function makeInterface(SubnetId: string): Promise<string> {
    const { NetworkInterface } = await client.send(new CreateNetworkInterfaceCommand({ SubnetId }));
    return NetworkInterface?.NetworkInterfaceId ?? "";
  }

  test("addresses of all accounts differ and lie in the public space", async () => {
    const other = sandbox.client("222222222222", "us-east-1");
    const ips = new Set<string>();
    for (const each of [client, other, client, other, client]) {
      const { PublicIp = "", Domain } = await each.send(new AllocateAddressCommand({}));
      assert.equal(Domain, "vpc");
      assert.match(PublicIp, /^198\.1[89]\./);
      ips.add(PublicIp);
    }
    assert.equal(ips.size, 5);
  });

  test("releasing by a public address that somebody else has is AuthFailure", async () => {
    const other = sandbox.client("222222222222", "us-east-1");
    const { PublicIp } = await other.send(new AllocateAddressCommand({}));
    const release = (ip?: string) => client.send(new ReleaseAddressCommand({ PublicIp: ip }));
    await assert.rejects(release(PublicIp), { name: "AuthFailure" });
    await assert.rejects(release("198.18.0.0"), { name: "InvalidAddress.NotFound" });
  });

  test("when the space is used up there is AddressLimitExceeded", async () => {
    const small = await startSandbox({ settings: { publicSpace: "198.18.0.0/30" } });
    try {
      const tenant = small.client("111111111111", "eu-west-1");
      for (let n = 0; n < 3; n++) await makeAddress(tenant);
      await assert.rejects(makeAddress(tenant), { name: "AddressLimitExceeded" });
    } finally {
      await small.close();
    }
  });

  test("one is found by id, address, tag and filter, and not after its release", async () => {
    const Tags = [{ Key: "role", Value: "nat" }];
    const { AllocationId = "", PublicIp = "" } = await client.send(
      new AllocateAddressCommand({ TagSpecifications: [{ ResourceType: "elastic-ip", Tags }] }),
    );
    for (const input of [
      { AllocationIds: [AllocationId] },
      { PublicIps: [PublicIp] },
      { Filters: [{ Name: "tag:role", Values: ["nat"] }] },
      { Filters: [{ Name: "public-ip", Values: [PublicIp] }] },
    ]) {
      const { Addresses } = await client.send(new DescribeAddressesCommand(input));
      assert.deepEqual(
        Addresses?.map((one) => one.AllocationId),
        [AllocationId],
      );
    }
    const { Addresses } = await client.send(
      new DescribeAddressesAttributeCommand({ AllocationIds: [AllocationId], Attribute: "domain-name" }),
    );
    assert.deepEqual(Addresses, [{ AllocationId, PublicIp }]);
    await client.send(new ReleaseAddressCommand({ AllocationId }));
    await assert.rejects(client.send(new ReleaseAddressCommand({ AllocationId })), {
      name: "InvalidAllocationID.NotFound",
    });
    await assert.rejects(client.send(new DescribeAddressesCommand({ PublicIps: [PublicIp] })), {
      name: "InvalidAddress.NotFound",
    });
    await assert.rejects(
      client.send(new DescribeAddressesCommand({ Filters: [{ Name: "colour", Values: ["red"] }] })),
      { name: "InvalidParameterValue", message: "The filter 'colour' is invalid" },
    );
  });

  test("associated, it shows on both sides and cannot be released", async () => {
    const NetworkInterfaceId = await makeInterface(await publicSubnet());
    const AllocationId = await makeAddress(client);
    const { AssociationId } = await client.send(
      new AssociateAddressCommand({ AllocationId, NetworkInterfaceId }),
    );
    assert.match(AssociationId ?? "", /^eipassoc-0/);
    const address = await addressOf(AllocationId);
    assert.equal(address?.NetworkInterfaceId, NetworkInterfaceId);
    assert.equal(address?.PrivateIpAddress, "10.1.0.4");
    const { NetworkInterfaces } = await client.send(
      new DescribeNetworkInterfacesCommand({
        Filters: [{ Name: "association.allocation-id", Values: [AllocationId] }],
      }),
    );
    assert.equal(NetworkInterfaces?.[0]?.Association?.PublicIp, address?.PublicIp);
    await assert.rejects(client.send(new ReleaseAddressCommand({ AllocationId })), {
      name: "InvalidIPAddress.InUse",
    });
    const again = await client.send(new AssociateAddressCommand({ AllocationId, NetworkInterfaceId }));
    assert.equal(again.AssociationId, AssociationId);
    await client.send(new DisassociateAddressCommand({ AssociationId }));
    assert.equal((await addressOf(AllocationId))?.AssociationId, undefined);
    await assert.rejects(client.send(new DisassociateAddressCommand({ AssociationId })), {
      name: "InvalidAssociationID.NotFound",
    });
    await client.send(new ReleaseAddressCommand({ AllocationId }));
  });

  test("it changes interface only when reassociation is allowed", async () => {
    const subnetId = await publicSubnet();
    const [first, second] = [await makeInterface(subnetId), await makeInterface(subnetId)];
    const AllocationId = await makeAddress(client);
    await client.send(new AssociateAddressCommand({ AllocationId, NetworkInterfaceId: first }));
    const move = { AllocationId, NetworkInterfaceId: second };
    await assert.rejects(client.send(new AssociateAddressCommand(move)), {
      name: "Resource.AlreadyAssociated",
    });
    const other = { AllocationId: await makeAddress(client), NetworkInterfaceId: first };
    await assert.rejects(client.send(new AssociateAddressCommand(other)), {
      name: "Resource.AlreadyAssociated",
    });
    await client.send(new AssociateAddressCommand({ ...move, AllowReassociation: true }));
    assert.equal((await addressOf(AllocationId))?.NetworkInterfaceId, second);
  });

  test("it needs an internet gateway in the VPC", async () => {
    const NetworkInterfaceId = await makeInterface(await makeSubnet(client, await makeVpc(client)));
    const AllocationId = await makeAddress(client);
    await assert.rejects(client.send(new AssociateAddressCommand({ AllocationId, NetworkInterfaceId })), {
      name: "Gateway.NotAttached",
    });
  });

  test("an instance is known by its address", async () => {
    const InstanceId = await makeInstance(client, await publicSubnet());
    const AllocationId = await makeAddress(client);
    await client.send(new AssociateAddressCommand({ AllocationId, InstanceId }));
    const address = await addressOf(AllocationId);
    assert.equal(address?.InstanceId, InstanceId);
    const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [InstanceId] }));
    assert.equal(Reservations?.[0]?.Instances?.[0]?.PublicIpAddress, address?.PublicIp);
  });

  test("a NAT gateway's address is the gateway's to free", async () => {
    const { allocationId } = await makeNatGateway(client, await publicSubnet());
    const { AssociationId } = (await addressOf(allocationId)) ?? {};
    await assert.rejects(client.send(new DisassociateAddressCommand({ AssociationId })), {
      name: "AuthFailure",
    });
    await assert.rejects(client.send(new ReleaseAddressCommand({ AllocationId: allocationId })), {
      name: "InvalidIPAddress.InUse",
    });
  });
});
