/**
 * ClassicLink, of which AWS has kept the questions alone since EC2-Classic was retired: clients of that time
 * still ask on every read of a VPC. Promises that no VPC has it; refuses nothing but unknown ids and filters.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcClassicLink.html
 */
import { notFound } from "./find.ts";
import { describe } from "./query.ts";
import { tagSet } from "./tags.ts";
import type { Ec2Handlers } from "./world.ts";

export const classicLinkHandlers = {
  DescribeVpcClassicLink(call, input) {
    const { rows } = describe(
      call,
      { Filters: input.Filters },
      {
        rows: call.tables.vpcs.list(call),
        ids: input.VpcIds,
        notFound: (ids) => notFound("vpc", ids),
        filters: { "is-classic-link-enabled": () => false },
      },
    );
    return {
      Vpcs: rows.map((row) => ({ VpcId: row.id, ClassicLinkEnabled: false, Tags: tagSet(row.tags) })),
    };
  },

  DescribeVpcClassicLinkDnsSupport(call, input) {
    const { MaxResults, NextToken: token } = input;
    const { rows, NextToken } = describe(
      call,
      { MaxResults, NextToken: token },
      {
        rows: call.tables.vpcs.list(call),
        ids: input.VpcIds,
        notFound: (ids) => notFound("vpc", ids),
        filters: {},
      },
    );
    return { Vpcs: rows.map((row) => ({ VpcId: row.id, ClassicLinkDnsSupported: false })), NextToken };
  },
} satisfies Ec2Handlers;
