/**
 * The paged describes, one a kind. Each takes filter sets and asks once for each set, all pages of it. Promises
 * that no set of values makes no call, and that a filter never holds more values than AWS takes: 200 a call.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
 */
import {
  type Address,
  DescribeAddressesCommand,
  type EC2Client,
  type Filter,
  paginateDescribeInternetGateways,
  paginateDescribeNatGateways,
  paginateDescribeNetworkAcls,
  paginateDescribeNetworkInterfaces,
  paginateDescribeRouteTables,
  paginateDescribeSecurityGroupRules,
  paginateDescribeSecurityGroups,
  paginateDescribeSubnets,
  paginateDescribeVpcEndpoints,
  paginateDescribeVpcPeeringConnections,
  paginateDescribeVpcs,
} from "@aws-sdk/client-ec2";

const MOST_VALUES = 200;
const PAGE = 1000;
/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html */
const ROUTE_TABLE_PAGE = 100;

/** Filter sets that together name all the values; `beside` is how many values stand in other filters. */
export function filters(name: string, values: readonly string[], beside = 0): Filter[][] {
  const most = MOST_VALUES - beside;
  const sets: Filter[][] = [];
  for (let from = 0; from < values.length; from += most)
    sets.push([{ Name: name, Values: values.slice(from, from + most) }]);
  return sets;
}

/** A describe of one kind: the things that one of the filter sets lets through. */
export type Read<Thing> = (ec2: EC2Client, sets: readonly Filter[][]) => Promise<Thing[]>;

interface Paged<Page, Thing> {
  pages(client: { client: EC2Client; pageSize: number }, set: Filter[]): AsyncIterable<Page>;
  things(page: Page): Thing[] | undefined;
  readonly pageSize?: number;
}

function paged<Page, Thing>({ pages, things, pageSize = PAGE }: Paged<Page, Thing>): Read<Thing> {
  const one = async (client: EC2Client, set: Filter[]): Promise<Thing[]> => {
    const found: Thing[] = [];
    for await (const page of pages({ client, pageSize }, set)) found.push(...(things(page) ?? []));
    return found;
  };
  return async (ec2, sets) => (await Promise.all(sets.map((set) => one(ec2, set)))).flat();
}

export const vpcs = paged({
  pages: (client, Filters) => paginateDescribeVpcs(client, { Filters }),
  things: (page) => page.Vpcs,
});

export const subnets = paged({
  pages: (client, Filters) => paginateDescribeSubnets(client, { Filters }),
  things: (page) => page.Subnets,
});

export const internetGateways = paged({
  pages: (client, Filters) => paginateDescribeInternetGateways(client, { Filters }),
  things: (page) => page.InternetGateways,
});

/** DescribeAddresses knows no pages. */
export const addresses: Read<Address> = async (ec2, sets) => {
  const answers = await Promise.all(
    sets.map((Filters) => ec2.send(new DescribeAddressesCommand({ Filters }))),
  );
  return answers.flatMap((answer) => answer.Addresses ?? []);
};

export const natGateways = paged({
  pages: (client, Filter) => paginateDescribeNatGateways(client, { Filter }),
  things: (page) => page.NatGateways,
});

export const routeTables = paged({
  pages: (client, Filters) => paginateDescribeRouteTables(client, { Filters }),
  things: (page) => page.RouteTables,
  pageSize: ROUTE_TABLE_PAGE,
});

export const endpoints = paged({
  pages: (client, Filters) => paginateDescribeVpcEndpoints(client, { Filters }),
  things: (page) => page.VpcEndpoints,
});

export const groups = paged({
  pages: (client, Filters) => paginateDescribeSecurityGroups(client, { Filters }),
  things: (page) => page.SecurityGroups,
});

export const rules = paged({
  pages: (client, Filters) => paginateDescribeSecurityGroupRules(client, { Filters }),
  things: (page) => page.SecurityGroupRules,
});

export const acls = paged({
  pages: (client, Filters) => paginateDescribeNetworkAcls(client, { Filters }),
  things: (page) => page.NetworkAcls,
});

export const peerings = paged({
  pages: (client, Filters) => paginateDescribeVpcPeeringConnections(client, { Filters }),
  things: (page) => page.VpcPeeringConnections,
});

export const interfaces = paged({
  pages: (client, Filters) => paginateDescribeNetworkInterfaces(client, { Filters }),
  things: (page) => page.NetworkInterfaces,
});
