/**
 * The four VPCs that the packet tests are about, as literals: A, the one with the brokers, has three zones; B and C
 * want to reach it, C from another region; D has A's addresses. Blocks and addresses are said here once and stand
 * in the tests as they are.
 */

export const PLATFORM = "111111111111";
export const CUSTOMER = "222222222222";

export interface VpcPlan {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly block: string;
  /** `public-a` uses the route table `public`, `private-a` one of its own. */
  readonly subnets: Readonly<Record<string, string>>;
  /** Zones with a NAT gateway in `public-…`, the default route of `private-…`. */
  readonly natZones: readonly string[];
  /** Beside the default group. `tcp:22 0.0.0.0/0`, `tcp @another group`; out = everything unless given. */
  readonly groups: Readonly<
    Record<string, { readonly in: readonly string[]; readonly out?: readonly string[] }>
  >;
  readonly hosts: Readonly<Record<string, HostPlan>>;
}

export interface HostPlan {
  readonly subnet: string;
  readonly address: string;
  readonly group: string;
  /** It gets an elastic IP. */
  readonly isPublic?: true;
}

export const ANYWHERE = "0.0.0.0/0";

const OPEN = { in: [`all ${ANYWHERE}`] };

const A: VpcPlan = {
  name: "A",
  account: PLATFORM,
  region: "us-east-1",
  block: "10.1.0.0/16",
  subnets: {
    "public-a": "10.1.0.0/24",
    "public-b": "10.1.1.0/24",
    "public-c": "10.1.2.0/24",
    "private-a": "10.1.10.0/24",
    "private-b": "10.1.11.0/24",
    "private-c": "10.1.12.0/24",
  },
  natZones: ["a", "b", "c"],
  groups: {
    kafka: { in: ["tcp 10.2.0.0/16", "tcp @kafka"] },
    bastion: { in: [`tcp:22 ${ANYWHERE}`] },
    admin: { in: ["tcp:9000 @bastion"], out: [`tcp:443 ${ANYWHERE}`] },
    open: OPEN,
  },
  hosts: {
    broker0: { subnet: "private-a", address: "10.1.10.10", group: "kafka" },
    broker1: { subnet: "private-b", address: "10.1.11.10", group: "kafka" },
    broker2: { subnet: "private-c", address: "10.1.12.10", group: "kafka" },
    one: { subnet: "private-a", address: "10.1.10.20", group: "default" },
    other: { subnet: "private-a", address: "10.1.10.21", group: "default" },
    open: { subnet: "private-a", address: "10.1.10.22", group: "open" },
    bastion: { subnet: "public-a", address: "10.1.0.30", group: "bastion", isPublic: true },
    unnamed: { subnet: "public-a", address: "10.1.0.31", group: "open" },
    admin: { subnet: "private-b", address: "10.1.11.40", group: "admin" },
    hidden: { subnet: "private-c", address: "10.1.12.50", group: "open", isPublic: true },
  },
};

const B: VpcPlan = {
  name: "B",
  account: CUSTOMER,
  region: "us-east-1",
  block: "10.2.0.0/16",
  subnets: { "public-a": "10.2.0.0/24", "public-b": "10.2.1.0/24", "private-a": "10.2.10.0/24" },
  natZones: ["a"],
  groups: { client: { in: [] }, open: OPEN },
  hosts: {
    client: { subnet: "private-a", address: "10.2.10.10", group: "client" },
    stray: { subnet: "public-b", address: "10.2.1.10", group: "client" },
    open: { subnet: "private-a", address: "10.2.10.11", group: "open" },
  },
};

const C: VpcPlan = {
  name: "C",
  account: CUSTOMER,
  region: "eu-west-1",
  block: "10.3.0.0/16",
  subnets: { "private-a": "10.3.10.0/24" },
  natZones: [],
  groups: { open: OPEN },
  hosts: { open: { subnet: "private-a", address: "10.3.10.10", group: "open" } },
};

const D: VpcPlan = {
  name: "D",
  account: CUSTOMER,
  region: "us-east-1",
  block: "10.1.0.0/16",
  subnets: { "public-a": "10.1.0.0/24", "private-a": "10.1.10.0/24" },
  natZones: ["a"],
  groups: { open: OPEN },
  hosts: { open: { subnet: "private-a", address: "10.1.10.10", group: "open" } },
};

export const PLANS = { A, B, C, D } as const;
export type VpcName = keyof typeof PLANS;
