/**
 * Every command as data: those of the API, made from the contract's table, and the local ones that other rooms
 * hand in. Help, parsing, completion and docs/cli.md all come from this list, so they cannot disagree.
 * Promises nothing about how a command runs.
 */
import { allOperations, type Operation, type OperationId } from "../contract/operations.ts";
import { optionsOf } from "./flags.ts";
import { DEBUG, globalsOf } from "./globals.ts";

export interface CommandExample {
  readonly what: string;
  readonly command: string;
}

export interface CommandOption {
  /** camelCase; the kebab-case spelling is accepted too. */
  readonly name: string;
  /** `list`: a comma list, and repeatable. */
  readonly kind: "string" | "number" | "boolean" | "list";
  readonly brief: string;
  readonly default?: string | number | boolean | readonly string[];
  readonly required?: boolean;
  readonly placeholder?: string;
  /** The only values it takes. */
  readonly values?: readonly string[];
}

export type OptionValues = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** What a local command gets besides its options. */
export interface LocalRoom {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly signal: AbortSignal;
}

/** A command without an API operation, such as `serve`. */
export interface LocalCommand<Room = LocalRoom> {
  readonly path: readonly string[];
  readonly brief: string;
  readonly description: string;
  readonly examples: readonly CommandExample[];
  readonly options: readonly CommandOption[];
  /** Resolves to the exit code; nothing means 0. */
  run(options: OptionValues, room: Room): Promise<number | undefined> | Promise<void>;
}

/** Commands under a common first word. */
export interface LocalGroup<Room = LocalRoom> {
  readonly path: readonly string[];
  readonly brief: string;
  readonly description: string;
  readonly commands: readonly LocalCommand<Room>[];
}

export interface GroupText {
  readonly brief: string;
  readonly description: string;
}

export interface CommandData {
  readonly path: readonly string[];
  readonly brief: string;
  readonly description: string;
  readonly examples: readonly CommandExample[];
  /** Options of the command alone. */
  readonly options: readonly CommandOption[];
  /** Options that every command of its sort has. */
  readonly globals: readonly CommandOption[];
  readonly act:
    | { readonly kind: "api"; readonly id: OperationId; readonly operation: Operation }
    | { readonly kind: "local"; readonly command: LocalCommand<never> };
}

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
  vpcs: {
    brief: "VPCs of the datasets, and peering with them",
    description:
      "Shows what is needed to connect to a dataset's VPC, and accepts, lists and deletes VPC peering connections.",
  },
  "vpcs vpcPeeringConnections": {
    brief: "VPC peering connections to a dataset's VPC",
    description:
      "You request a VPC peering connection with the AWS CLI from your own VPC; here it is accepted on behalf of #LetsData.",
  },
  ranges: {
    brief: "The address plan",
    description: "Tenant ranges, dataset ranges, what is free, and what rests in quarantine.",
  },
  settings: {
    brief: "Settings of the installation",
    description: "Address space, excluded blocks and zones, quarantine and limits. For the operator.",
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
