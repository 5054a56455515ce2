/**
 * Every command there is: those of the API, made from the contract's table, those that other rooms hand in, and
 * those of the command line itself. Help, parsing, completion and docs/cli.md all come from this list, so they
 * cannot disagree.
 */
import { allOperations } from "../contract/operations.ts";
import type { CommandData, GroupText, LocalCommand, LocalGroup } from "./commands.ts";
import { completionGroup } from "./completion.ts";
import type { CliContext } from "./context.ts";
import { optionsOf } from "./flags.ts";
import { DEBUG, globalsOf } from "./globals.ts";
import { profilesGroup } from "./profiles.ts";

/** The texts of the groups that the API's commands stand in, by their path. */
const API_GROUPS: Readonly<Record<string, GroupText>> = {
  tenants: {
    brief: "Tenants, and the networks they declare as theirs",
    description:
      "A tenant is a customer organisation. It owns /21 ranges of the address space, datasets and keys.",
  },
  keys: {
    brief: "API keys",
    description: "Keys of a tenant: viewer reads, member writes, admin also manages keys.",
  },
  datasets: {
    brief: "Datasets, and the VPC that each of them gets",
    description:
      "A dataset takes a range out of its tenant's; when its write connector is Kafka, a VPC is made and secured there.",
  },
  writeConnectors: {
    brief: "Write connectors: the network, the Kafka cluster and the functions of a dataset",
    description:
      "Shows a write connector and where its clients begin, deletes it while its dataset stays, builds it again, and " +
      "lets its storage grow.",
  },
  vpcs: {
    brief: "VPCs of the datasets, and peering with them",
    description:
      "Shows what is needed to connect to a dataset's VPC, accepts, lists and deletes VPC peering connections, and " +
      "opens connections from inside.",
  },
  "vpcs vpcPeeringConnections": {
    brief: "VPC peering connections to a dataset's VPC",
    description:
      "You request a VPC peering connection with the AWS CLI from your own VPC; here it is accepted on behalf of #LetsData.",
  },
  "vpcs probe": {
    brief: "Connections opened from inside a dataset's VPC, to see what can be reached",
    description:
      "A small function in the private subnets opens the connection and says what happened at each stage. " +
      "`letsdata vpcs probe` runs one; `letsdata vpcs probe view` shows one that was run.",
  },
  ranges: {
    brief: "The address plan",
    description: "Tenant ranges, dataset ranges, what is free, and what rests in quarantine.",
  },
  settings: {
    brief: "Settings of the installation",
    description: "Address space, excluded blocks and zones, quarantine and limits. For the operator.",
  },
  sweep: {
    brief: "What belongs to nobody, and what is missing",
    description:
      "Compares everything under this installation's tags with the datasets. For the operator. `letsdata sweep` runs " +
      "one; `letsdata sweep view` shows the last report.",
  },
  audit: {
    brief: "Who did what, and when",
    description: "The audit records, the newest first.",
  },
};

export function apiCommands(): CommandData[] {
  return [...allOperations].map(([id, operation]) => ({
    path: operation.command.path,
    brief: operation.summary,
    description: operation.description,
    examples: operation.command.examples,
    options: optionsOf(operation),
    words: [],
    rest: undefined,
    globals: globalsOf(operation),
    act: { kind: "api", id, operation },
  }));
}

/** Local commands as data, whether they came alone or in a group. */
export function localCommands<Room>(
  groups: readonly (LocalGroup<Room> | LocalCommand<Room>)[],
): CommandData[] {
  return groups
    .flatMap((group) => ("commands" in group ? group.commands : [group]))
    .map((command) => ({
      path: command.path,
      brief: command.brief,
      description: command.description,
      examples: command.examples,
      options: command.options,
      words: command.words ?? [],
      rest: command.rest,
      globals: [DEBUG],
      act: { kind: "local", command },
    }));
}

/** The texts of every group, by its path. */
export function groupTexts<Room>(
  groups: readonly (LocalGroup<Room> | LocalCommand<Room>)[],
): ReadonlyMap<string, GroupText> {
  const texts = new Map(Object.entries(API_GROUPS));
  for (const group of groups) if ("commands" in group) texts.set(group.path.join(" "), group);
  return texts;
}

export type AnyGroup = LocalGroup<CliContext> | LocalCommand<CliContext>;

/** The groups that were handed in, then those of the command line itself. */
export function allGroups(handedIn: CliContext["groups"]): AnyGroup[] {
  return [...handedIn, profilesGroup, completionGroup];
}
