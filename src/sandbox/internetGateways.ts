/**
 * Internet gateways: one a VPC. Refuses to be detached while a public address in the VPC depends on it, and to
 * be deleted while attached. https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { addressOn } from "./addresses.ts";
import { AwsError } from "./errors.ts";
import { notFound, theInternetGateway, theVpc } from "./find.ts";
import { describe } from "./query.ts";
import { withinQuota } from "./quotas.ts";
import type { InternetGatewayRow } from "./rows.ts";
import { tagSet, tagsFor } from "./tags.ts";
import type { Call, Ec2Handlers } from "./world.ts";

function described(row: InternetGatewayRow): ec2.InternetGateway {
  return {
    InternetGatewayId: row.id,
    OwnerId: row.account,
    // AWS's own word for an attached internet gateway, which the SDK's list of states does not have.
    Attachments: row.vpcId ? [{ VpcId: row.vpcId, State: "available" as ec2.AttachmentStatus }] : [],
    Tags: tagSet(row.tags),
  };
}

function hasMappedAddress(call: Call, vpcId: string): boolean {
  const interfaces = call.tables.interfaces.list(call).filter((row) => row.vpcId === vpcId);
  return interfaces.some((row) => row.autoPublicIp !== undefined || addressOn(call, row) !== undefined);
}

export const internetGatewayHandlers = {
  CreateInternetGateway(call, input) {
    const tags = tagsFor(input.TagSpecifications, "internet-gateway");
    const { account, region, now: at } = call;
    withinQuota({
      count: call.tables.internetGateways.list(call).length + 1,
      quota: call.settings.internetGatewaysQuota,
      code: "InternetGatewayLimitExceeded",
      what: "internet gateways",
    });
    const row = call.tables.internetGateways.put({ id: call.newId("igw"), account, region, at, tags });
    return { InternetGateway: described(row) };
  },

  AttachInternetGateway(call, input) {
    const row = theInternetGateway(call, input.InternetGatewayId);
    const vpc = theVpc(call, input.VpcId);
    if (row.vpcId)
      throw new AwsError(
        "Resource.AlreadyAssociated",
        `resource ${row.id} is already attached to network ${row.vpcId}`,
      );
    if (call.tables.internetGateways.list(call).some((other) => other.vpcId === vpc.id))
      throw new AwsError(
        "InvalidParameterValue",
        `Network ${vpc.id} already has an internet gateway attached`,
      );
    call.tables.internetGateways.put({ ...row, vpcId: vpc.id });
    return {};
  },

  DetachInternetGateway(call, input) {
    const { vpcId, ...detached } = theInternetGateway(call, input.InternetGatewayId);
    const vpc = theVpc(call, input.VpcId);
    if (vpcId !== vpc.id)
      throw new AwsError(
        "Gateway.NotAttached",
        `resource ${detached.id} is not attached to network ${vpc.id}`,
      );
    if (hasMappedAddress(call, vpc.id))
      throw new AwsError(
        "DependencyViolation",
        `Network ${vpc.id} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
      );
    call.tables.internetGateways.put(detached);
    return {};
  },

  DeleteInternetGateway(call, input) {
    const row = theInternetGateway(call, input.InternetGatewayId);
    if (row.vpcId)
      throw new AwsError(
        "DependencyViolation",
        `The internetGateway '${row.id}' has dependencies and cannot be deleted.`,
      );
    call.tables.internetGateways.delete(row.id);
    return {};
  },

  DescribeInternetGateways(call, input) {
    const { rows, NextToken } = describe(call, input, {
      rows: call.tables.internetGateways.list(call),
      ids: input.InternetGatewayIds,
      notFound: (ids) => notFound("igw", ids),
      filters: {
        "attachment.state": (row) => (row.vpcId ? "available" : undefined),
        "attachment.vpc-id": (row) => row.vpcId,
        "internet-gateway-id": (row) => row.id,
        "owner-id": (row) => row.account,
      },
    });
    return { InternetGateways: rows.map(described), NextToken };
  },
} satisfies Ec2Handlers;
