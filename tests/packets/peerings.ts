/** Peerings and network ACLs of the packet tests' VPCs: made, changed and ended by calls to EC2. */
import * as ec2 from "@aws-sdk/client-ec2";
import type { BuiltVpc } from "./builtVpc.ts";

/** An active peering's id. */
export async function peer(requester: BuiltVpc, accepter: BuiltVpc): Promise<string> {
  const { VpcPeeringConnection: peering } = await requester.client.send(
    new ec2.CreateVpcPeeringConnectionCommand({
      VpcId: requester.id,
      PeerVpcId: accepter.id,
      PeerOwnerId: accepter.plan.account,
      PeerRegion: accepter.plan.region,
    }),
  );
  const id = peering?.VpcPeeringConnectionId ?? "";
  await accepter.client.send(new ec2.AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId: id }));
  return id;
}

export async function unpeer({ client }: BuiltVpc, VpcPeeringConnectionId: string): Promise<void> {
  await client.send(new ec2.DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
}

/** Routes to a block over the peering, in those tables. */
export async function routeOver(
  vpc: BuiltVpc,
  VpcPeeringConnectionId: string,
  { block, tables }: { readonly block: string; readonly tables: readonly string[] },
): Promise<void> {
  for (const table of tables) await vpc.route(table, block, { VpcPeeringConnectionId });
}

/** The same where routes for the block are there already, to something that is gone. */
export async function rerouteOver(
  vpc: BuiltVpc,
  VpcPeeringConnectionId: string,
  { block, tables }: { readonly block: string; readonly tables: readonly string[] },
): Promise<void> {
  for (const table of tables) await vpc.reroute(table, block, { VpcPeeringConnectionId });
}

export interface AclLine {
  readonly number: number;
  readonly way: "in" | "out";
  readonly action: "allow" | "deny";
  /** 6 = TCP, -1 = everything. */
  readonly protocol: "6" | "-1";
  readonly ports?: readonly [number, number];
  readonly block: string;
}

/** A network ACL on one subnet instead of the default one. */
export class SubnetAcl {
  readonly #vpc: BuiltVpc;
  readonly #id: string;
  readonly #subnetId: string;
  /** The one the subnet had before. */
  readonly #formerId: string;

  private constructor(vpc: BuiltVpc, is: { id: string; subnetId: string; formerId: string }) {
    this.#vpc = vpc;
    this.#id = is.id;
    this.#subnetId = is.subnetId;
    this.#formerId = is.formerId;
  }

  static async put(vpc: BuiltVpc, subnet: string, lines: readonly AclLine[]): Promise<SubnetAcl> {
    const subnetId = vpc.subnetId(subnet);
    const { NetworkAcls = [] } = await vpc.client.send(
      new ec2.DescribeNetworkAclsCommand({
        Filters: [{ Name: "association.subnet-id", Values: [subnetId] }],
      }),
    );
    const made = await vpc.client.send(new ec2.CreateNetworkAclCommand({ VpcId: vpc.id }));
    const id = made.NetworkAcl?.NetworkAclId ?? "";
    const acl = new SubnetAcl(vpc, { id, subnetId, formerId: NetworkAcls[0]?.NetworkAclId ?? "" });
    for (const line of lines) await acl.add(line);
    await acl.#use(id);
    return acl;
  }

  async add({ number, way, action, protocol, ports, block }: AclLine): Promise<void> {
    await this.#vpc.client.send(
      new ec2.CreateNetworkAclEntryCommand({
        NetworkAclId: this.#id,
        RuleNumber: number,
        Egress: way === "out",
        RuleAction: action,
        Protocol: protocol,
        CidrBlock: block,
        ...(ports ? { PortRange: { From: ports[0], To: ports[1] } } : {}),
      }),
    );
  }

  async remove(RuleNumber: number, way: "in" | "out"): Promise<void> {
    await this.#vpc.client.send(
      new ec2.DeleteNetworkAclEntryCommand({ NetworkAclId: this.#id, RuleNumber, Egress: way === "out" }),
    );
  }

  /** The subnet is back under the list it had. */
  async lift(): Promise<void> {
    await this.#use(this.#formerId);
    await this.#vpc.client.send(new ec2.DeleteNetworkAclCommand({ NetworkAclId: this.#id }));
  }

  async #use(NetworkAclId: string): Promise<void> {
    const { client } = this.#vpc;
    const { NetworkAcls = [] } = await client.send(
      new ec2.DescribeNetworkAclsCommand({
        Filters: [{ Name: "association.subnet-id", Values: [this.#subnetId] }],
      }),
    );
    const own = NetworkAcls[0]?.Associations?.find((one) => one.SubnetId === this.#subnetId);
    const AssociationId = own?.NetworkAclAssociationId ?? "";
    await client.send(new ec2.ReplaceNetworkAclAssociationCommand({ AssociationId, NetworkAclId }));
  }
}
