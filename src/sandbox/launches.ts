/**
 * RunInstances: from the request to rows. Promises that as many instances start as the subnet has addresses
 * for, at least MinCount or none, each with its interfaces. The interface may be the caller's own, be described
 * by the request, or follow from the subnet (the VPC's default one if none is named).
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { addressCount } from "../domain/cidr.ts";
import { freePublicIp } from "./addresses.ts";
import { tokenOf } from "./clientTokens.ts";
import { AwsError } from "./errors.ts";
import { RESERVED_ADDRESSES, theInterface, theSubnet, usedAddresses } from "./find.ts";
import { groupsFor, newInterface } from "./interfaceRows.ts";
import { zoneName } from "./places.ts";
import type { InstanceRow, InterfaceRow, SubnetRow } from "./rows.ts";
import type { Tag } from "./state.ts";
import { tagsFor } from "./tags.ts";
import { seen } from "./visibility.ts";
import type { Call } from "./world.ts";

const MAX_USER_DATA_BYTES = 16 * 1024;

/** One interface of every instance of the request. */
type Plan =
  | { readonly existing: InterfaceRow; readonly deviceIndex: number }
  | {
      readonly subnet: SubnetRow;
      readonly privateIp: string | undefined;
      readonly description: string;
      readonly groupIds: readonly string[];
      readonly publicIp: boolean;
      readonly deviceIndex: number;
      readonly deleteOnTermination: boolean;
    };

/** Makes the instances and their interfaces, in order of launch index. */
export function launch(call: Call, input: ec2.RunInstancesRequest): InstanceRow[] {
  checkRequest(input);
  const also = ["network-interface", "volume"];
  const tags = tagsFor(input.TagSpecifications, "instance", also);
  const interfaceTags = tagsFor(input.TagSpecifications, "network-interface", ["instance", "volume"]);
  const plans = plansFor(call, input);
  const count = howMany(call, input, plans);
  const reservationId = call.newId("r");
  return Array.from({ length: count }, (_, launchIndex) =>
    start(call, input, { plans, tags, interfaceTags, reservationId, launchIndex }),
  );
}

function checkRequest(input: ec2.RunInstancesRequest): void {
  const { MinCount: min = 0, MaxCount: max = 0, ImageId: image, UserData: data } = input;
  if (min < 1 || max < min)
    throw new AwsError(
      "InvalidParameterValue",
      `Invalid value '${min}' for MinCount or '${max}' for MaxCount`,
    );
  if (!image) throw new AwsError("MissingParameter", "The request must contain the parameter ImageId");
  if (!/^ami-[0-9a-f]{8,17}$/.test(image))
    throw new AwsError("InvalidAMIID.Malformed", `Invalid id: "${image}" (expecting "ami-...")`);
  if (data && Buffer.from(data, "base64").length > MAX_USER_DATA_BYTES)
    throw new AwsError("InvalidParameterValue", "User data is limited to 16384 bytes");
}

function plansFor(call: Call, input: ec2.RunInstancesRequest): Plan[] {
  const asked = input.NetworkInterfaces ?? [];
  if (asked.length === 0) return [planFor(call, input, {})];
  if (input.SubnetId || input.SecurityGroupIds?.length || input.PrivateIpAddress)
    throw new AwsError(
      "InvalidParameterCombination",
      "Network interfaces and an instance-level subnet ID, security groups or private address may not be specified on the same request",
    );
  const indexes = asked.map((one) => one.DeviceIndex ?? 0);
  if (!indexes.includes(0) || new Set(indexes).size !== indexes.length)
    throw new AwsError(
      "InvalidParameterValue",
      "Each network interface requires a device index, and one is 0.",
    );
  const plans = asked.map((one) =>
    one.NetworkInterfaceId ? existing(call, one) : planFor(call, input, one),
  );
  return plans.sort((a, b) => a.deviceIndex - b.deviceIndex);
}

function existing(call: Call, asked: ec2.InstanceNetworkInterfaceSpecification): Plan {
  const row = theInterface(call, asked.NetworkInterfaceId);
  if (row.attachment) throw new AwsError("InvalidNetworkInterface.InUse", `Interface: [${row.id}] in use.`);
  return { existing: row, deviceIndex: asked.DeviceIndex ?? 0 };
}

function planFor(
  call: Call,
  input: ec2.RunInstancesRequest,
  asked: ec2.InstanceNetworkInterfaceSpecification,
): Plan {
  const subnet = subnetFor(call, asked.SubnetId ?? input.SubnetId, input.Placement?.AvailabilityZone);
  const groups = asked.Groups ?? input.SecurityGroupIds ?? byName(call, subnet.vpcId, input.SecurityGroups);
  return {
    subnet,
    privateIp: asked.PrivateIpAddress ?? input.PrivateIpAddress,
    description: asked.Description ?? "",
    groupIds: groupsFor(call, subnet.vpcId, groups),
    publicIp: asked.AssociatePublicIpAddress ?? subnet.mapPublicIpOnLaunch,
    deviceIndex: asked.DeviceIndex ?? 0,
    deleteOnTermination: asked.DeleteOnTermination ?? true,
  };
}

/** The subnet named, or the default subnet of the zone named, or the first default subnet. */
function subnetFor(call: Call, id: string | undefined, zone: string | undefined): SubnetRow {
  if (id) return theSubnet(call, id);
  const defaults = call.tables.subnets.list(call).filter((row) => row.isDefault);
  const named = (row: SubnetRow) => zone === undefined || zoneName(call.region, row.zoneId) === zone;
  const subnet = defaults.filter(named).sort((a, b) => (a.zoneId < b.zoneId ? -1 : 1))[0];
  if (!subnet)
    throw new AwsError("MissingInput", `No default subnet for availability zone: '${zone ?? "null"}'.`);
  return subnet;
}

function byName(call: Call, vpcId: string, names: readonly string[] | undefined): string[] | undefined {
  const groups = seen(call, call.tables.securityGroups.list(call)).filter((row) => row.vpcId === vpcId);
  return names?.map((name) => {
    const group = groups.find((row) => row.name === name);
    if (!group) throw new AwsError("InvalidGroup.NotFound", `The security group '${name}' does not exist`);
    return group.id;
  });
}

function howMany(call: Call, input: ec2.RunInstancesRequest, plans: readonly Plan[]): number {
  const { MinCount: min = 1, MaxCount: max = 1 } = input;
  const fixed = plans.some((plan) => "existing" in plan || plan.privateIp !== undefined);
  if (fixed && max > 1)
    throw new AwsError(
      "InvalidParameterCombination",
      "A network interface or private address cannot be given to more than one instance.",
    );
  const rooms = plans.flatMap((plan) => ("subnet" in plan ? [room(call, plan.subnet, plans)] : []));
  const count = Math.min(max, ...rooms);
  if (count >= min) return count;
  throw new AwsError(
    "InsufficientFreeAddressesInSubnet",
    "There are not enough free addresses in the subnet to satisfy the requested number of instances.",
  );
}

/** How many instances the subnet's free addresses are enough for. */
function room(call: Call, subnet: SubnetRow, plans: readonly Plan[]): number {
  const free = addressCount(subnet.cidr) - RESERVED_ADDRESSES - usedAddresses(call, subnet.id).size;
  const each = plans.filter((plan) => "subnet" in plan && plan.subnet.id === subnet.id).length;
  return Math.floor(free / each);
}

interface Start {
  readonly plans: readonly Plan[];
  readonly tags: readonly Tag[];
  readonly interfaceTags: readonly Tag[];
  readonly reservationId: string;
  readonly launchIndex: number;
}

function start(call: Call, input: ec2.RunInstancesRequest, what: Start): InstanceRow {
  const id = call.newId("i");
  const rows = what.plans.map((plan) => attached(call, id, { plan, tags: what.interfaceTags }));
  const [primary] = rows;
  if (!primary) throw new AwsError("InternalError", "An instance has at least one interface", 500);
  return call.tables.instances.put({
    id,
    account: call.account,
    region: call.region,
    at: call.now,
    tags: what.tags,
    vpcId: primary.vpcId,
    subnetId: primary.subnetId,
    imageId: input.ImageId ?? "",
    instanceType: input.InstanceType ?? "t3.micro",
    reservationId: what.reservationId,
    interfaceIds: rows.map((row) => row.id),
    launchIndex: what.launchIndex,
    runningAt: call.now + call.settings.instancePendingMs,
    ...(input.UserData ? { userData: input.UserData } : {}),
    ...(input.MetadataOptions ? { metadataOptions: metadataOptions(input.MetadataOptions) } : {}),
    ...tokenOf(input),
  });
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsRequest.html */
function metadataOptions({ HttpEndpoint, HttpTokens }: ec2.InstanceMetadataOptionsRequest) {
  return { endpoint: HttpEndpoint ?? "enabled", tokens: HttpTokens ?? "optional" };
}

function attached(call: Call, instanceId: string, with_: { plan: Plan; tags: readonly Tag[] }): InterfaceRow {
  const { plan, tags } = with_;
  const attachment = {
    id: call.newId("eni-attach"),
    instanceId,
    ownerId: call.account,
    deviceIndex: plan.deviceIndex,
    at: call.now,
    deleteOnTermination: "subnet" in plan && plan.deleteOnTermination,
  };
  if ("existing" in plan) return call.tables.interfaces.put({ ...plan.existing, attachment });
  const row = newInterface(call, { ...plan, tags, attachment });
  const auto = plan.publicIp ? { autoPublicIp: freePublicIp(call, row.id) } : {};
  return call.tables.interfaces.put({ ...row, ...auto });
}
