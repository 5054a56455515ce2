/**
 * A VPC built from its plan by calls to EC2, as a customer would make them, and the changes the packet tests make
 * to it afterwards. Promises nothing of packets: they obey a change once the data plane is settled.
 */
import * as ec2 from "@aws-sdk/client-ec2";
import {
  makeGroup,
  makeInternetGateway,
  makeNatGateway,
  makeRouteTable,
  makeSubnet,
  makeVpc,
} from "../../src/sandbox/testNetwork.ts";
import { ANYWHERE, type HostPlan, type VpcPlan } from "./vpcPlans.ts";

export interface BuiltHost {
  readonly id: string;
  readonly interfaceId: string;
  readonly address: string;
}

export class BuiltVpc {
  readonly plan: VpcPlan;
  readonly client: ec2.EC2Client;
  #id = "";
  readonly #subnets = new Map<string, string>();
  readonly #tables = new Map<string, string>();
  readonly #groups = new Map<string, string>();
  readonly #hosts = new Map<string, BuiltHost>();
  readonly #nats = new Map<string, string>();
  /** By zone, or by the host's name; the address each shows to the internet. */
  readonly publicIps = new Map<string, string>();

  private constructor(client: ec2.EC2Client, plan: VpcPlan) {
    this.client = client;
    this.plan = plan;
  }

  static async build(client: ec2.EC2Client, plan: VpcPlan): Promise<BuiltVpc> {
    const vpc = new BuiltVpc(client, plan);
    vpc.#id = await makeVpc(client, plan.block);
    const gateway = await makeInternetGateway(client, vpc.#id);
    await vpc.#makeTables();
    await vpc.route("public", ANYWHERE, { GatewayId: gateway });
    await vpc.#makeSubnets();
    for (const zone of plan.natZones) await vpc.#makeNat(zone);
    await vpc.#makeGroups();
    for (const [name, host] of Object.entries(plan.hosts)) await vpc.#makeHost(name, host);
    return vpc;
  }

  get id(): string {
    return this.#id;
  }
  get hosts(): readonly BuiltHost[] {
    return [...this.#hosts.values()];
  }
  get tables(): readonly string[] {
    return [...this.#tables.keys()];
  }

  host(name: string): BuiltHost {
    return found(this.#hosts, name);
  }
  subnetId(name: string): string {
    return found(this.#subnets, name);
  }
  tableId(name: string): string {
    return found(this.#tables, name);
  }
  natId(zone: string): string {
    return found(this.#nats, zone);
  }
  groupId(name: string): string {
    return found(this.#groups, name);
  }

  async #makeTables(): Promise<void> {
    const names = Object.keys(this.plan.subnets).filter((name) => name.startsWith("private"));
    for (const name of ["public", ...names])
      this.#tables.set(name, await makeRouteTable(this.client, this.#id));
  }

  async #makeSubnets(): Promise<void> {
    for (const [name, block] of Object.entries(this.plan.subnets)) {
      const SubnetId = await makeSubnet(this.client, this.#id, block, name.slice(-1));
      this.#subnets.set(name, SubnetId);
      const RouteTableId = this.tableId(name.startsWith("public") ? "public" : name);
      await this.client.send(new ec2.AssociateRouteTableCommand({ SubnetId, RouteTableId }));
    }
  }

  async #makeNat(zone: string): Promise<void> {
    const { id, allocationId } = await makeNatGateway(this.client, this.subnetId(`public-${zone}`));
    this.#nats.set(zone, id);
    this.publicIps.set(zone, await this.#publicIp(allocationId));
    await this.route(`private-${zone}`, ANYWHERE, { NatGatewayId: id });
  }

  async #publicIp(allocationId: string): Promise<string> {
    const { Addresses } = await this.client.send(
      new ec2.DescribeAddressesCommand({ AllocationIds: [allocationId] }),
    );
    return Addresses?.[0]?.PublicIp ?? "";
  }

  async #makeGroups(): Promise<void> {
    const { SecurityGroups } = await this.client.send(
      new ec2.DescribeSecurityGroupsCommand({ Filters: [{ Name: "vpc-id", Values: [this.#id] }] }),
    );
    this.#groups.set("default", SecurityGroups?.[0]?.GroupId ?? "");
    for (const name of Object.keys(this.plan.groups))
      this.#groups.set(name, await makeGroup(this.client, this.#id, name));
    for (const [name, rules] of Object.entries(this.plan.groups)) {
      for (const rule of rules.in) await this.allow(name, rule);
      if (rules.out) await this.#onlyOut(name, rules.out);
    }
  }

  async #onlyOut(group: string, rules: readonly string[]): Promise<void> {
    const GroupId = this.groupId(group);
    const everything = [this.permission(`all ${ANYWHERE}`)];
    await this.client.send(new ec2.RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: everything }));
    const IpPermissions = rules.map((rule) => this.permission(rule));
    await this.client.send(new ec2.AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions }));
  }

  async #makeHost(name: string, { subnet, address, group, isPublic }: HostPlan): Promise<void> {
    const place = {
      SubnetId: this.subnetId(subnet),
      PrivateIpAddress: address,
      Groups: [this.groupId(group)],
    };
    const { Instances } = await this.client.send(
      new ec2.RunInstancesCommand({
        ImageId: "ami-12345678",
        MinCount: 1,
        MaxCount: 1,
        NetworkInterfaces: [{ DeviceIndex: 0, ...place }],
      }),
    );
    const id = Instances?.[0]?.InstanceId ?? "";
    const interfaceId = Instances?.[0]?.NetworkInterfaces?.[0]?.NetworkInterfaceId ?? "";
    this.#hosts.set(name, { id, interfaceId, address });
    if (isPublic) await this.associate(name, await this.allocate(name));
  }

  /** A new elastic IP, called so among the public addresses; its allocation. */
  async allocate(name: string): Promise<string> {
    const { AllocationId = "", PublicIp = "" } = await this.client.send(
      new ec2.AllocateAddressCommand({ Domain: "vpc" }),
    );
    this.publicIps.set(name, PublicIp);
    return AllocationId;
  }

  /** Gives the host that elastic IP in the place of any it has. */
  async associate(host: string, AllocationId: string): Promise<void> {
    const NetworkInterfaceId = this.host(host).interfaceId;
    await this.client.send(
      new ec2.AssociateAddressCommand({ AllocationId, NetworkInterfaceId, AllowReassociation: true }),
    );
  }

  /** `tcp:22 10.0.0.0/8` or `tcp @group of this VPC`. */
  permission(rule: string): ec2.IpPermission {
    const [what = "", from = ""] = rule.split(" ");
    const [protocol = "", port] = what.split(":");
    const ports = port === undefined ? [0, 65_535] : [Number(port), Number(port)];
    return {
      IpProtocol: protocol === "all" ? "-1" : protocol,
      ...(protocol === "all" ? {} : { FromPort: ports[0], ToPort: ports[1] }),
      ...(from.startsWith("@")
        ? { UserIdGroupPairs: [{ GroupId: this.groupId(from.slice(1)) }] }
        : { IpRanges: [{ CidrIp: from }] }),
    };
  }

  async allow(group: string, rule: string | ec2.IpPermission): Promise<void> {
    const IpPermissions = [typeof rule === "string" ? this.permission(rule) : rule];
    const GroupId = this.groupId(group);
    await this.client.send(new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
  }

  /** Takes away every rule that lets something into the members of the group. */
  async allowNothing(group: string): Promise<void> {
    const GroupId = this.groupId(group);
    const { SecurityGroups } = await this.client.send(
      new ec2.DescribeSecurityGroupsCommand({ GroupIds: [GroupId] }),
    );
    const IpPermissions = SecurityGroups?.[0]?.IpPermissions ?? [];
    await this.client.send(new ec2.RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
  }

  async route(
    table: string,
    DestinationCidrBlock: string,
    to: Partial<ec2.CreateRouteRequest>,
  ): Promise<void> {
    const RouteTableId = this.tableId(table);
    await this.client.send(new ec2.CreateRouteCommand({ RouteTableId, DestinationCidrBlock, ...to }));
  }

  async reroute(
    table: string,
    DestinationCidrBlock: string,
    to: Partial<ec2.ReplaceRouteRequest>,
  ): Promise<void> {
    const RouteTableId = this.tableId(table);
    await this.client.send(new ec2.ReplaceRouteCommand({ RouteTableId, DestinationCidrBlock, ...to }));
  }

  async unroute(table: string, DestinationCidrBlock: string): Promise<void> {
    const RouteTableId = this.tableId(table);
    await this.client.send(new ec2.DeleteRouteCommand({ RouteTableId, DestinationCidrBlock }));
  }

  /** Gives the host the elastic IP of that name. */
  async associateIp(host: string, name: string): Promise<void> {
    const { Addresses } = await this.client.send(
      new ec2.DescribeAddressesCommand({ PublicIps: [this.publicIps.get(name) ?? ""] }),
    );
    await this.associate(host, Addresses?.[0]?.AllocationId ?? "");
  }

  async deleteNat(zone: string): Promise<void> {
    await this.client.send(new ec2.DeleteNatGatewayCommand({ NatGatewayId: this.natId(zone) }));
  }

  /** `active` or `blackhole`. */
  async routeState(table: string, block: string): Promise<string | undefined> {
    const { RouteTables } = await this.client.send(
      new ec2.DescribeRouteTablesCommand({ RouteTableIds: [this.tableId(table)] }),
    );
    return RouteTables?.[0]?.Routes?.find((one) => one.DestinationCidrBlock === block)?.State;
  }

  /** Puts the subnet under that route table. */
  async useTable(subnet: string, table: string): Promise<void> {
    const subnetId = this.subnetId(subnet);
    const { RouteTables } = await this.client.send(
      new ec2.DescribeRouteTablesCommand({
        Filters: [{ Name: "association.subnet-id", Values: [subnetId] }],
      }),
    );
    const own = RouteTables?.[0]?.Associations?.find((one) => one.SubnetId === subnetId);
    const AssociationId = own?.RouteTableAssociationId ?? "";
    const RouteTableId = this.tableId(table);
    await this.client.send(new ec2.ReplaceRouteTableAssociationCommand({ AssociationId, RouteTableId }));
  }

  async useGroups(host: string, groups: readonly string[]): Promise<void> {
    const NetworkInterfaceId = this.host(host).interfaceId;
    const Groups = groups.map((name) => this.groupId(name));
    await this.client.send(new ec2.ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Groups }));
  }

  /** Another interface of the host, open to everybody; its attachment. */
  async attach(
    host: string,
    { subnet, address, index }: { readonly subnet: string; readonly address: string; readonly index: number },
  ): Promise<string> {
    const place = {
      SubnetId: this.subnetId(subnet),
      PrivateIpAddress: address,
      Groups: [this.groupId("open")],
    };
    const made = await this.client.send(new ec2.CreateNetworkInterfaceCommand(place));
    const NetworkInterfaceId = made.NetworkInterface?.NetworkInterfaceId ?? "";
    const InstanceId = this.host(host).id;
    const to = { InstanceId, DeviceIndex: index };
    const attached = await this.client.send(
      new ec2.AttachNetworkInterfaceCommand({ NetworkInterfaceId, ...to }),
    );
    return attached.AttachmentId ?? "";
  }

  async detach(AttachmentId: string): Promise<void> {
    await this.client.send(new ec2.DetachNetworkInterfaceCommand({ AttachmentId }));
  }

  async checkSource(host: string, Value: boolean): Promise<void> {
    const NetworkInterfaceId = this.host(host).interfaceId;
    await this.client.send(
      new ec2.ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, SourceDestCheck: { Value } }),
    );
  }
}

function found<T>(map: ReadonlyMap<string, T>, name: string): T {
  const one = map.get(name);
  if (one === undefined) throw new RangeError(`there is no "${name}", but ${[...map.keys()].join(", ")}`);
  return one;
}
