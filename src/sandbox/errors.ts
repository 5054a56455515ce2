/**
 * An error as AWS words it: its code, the sentence, the HTTP status. Handlers throw it; the server turns it
 * into the protocol's body. Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** What else it says, by the member names of its shape in the SDK: `InvalidParameter`. */
  readonly members: Readonly<Record<string, string>>;

  constructor(code: string, message: string, rest: number | ErrorRest = 400) {
    super(message);
    const { status = 400, members = {} } = typeof rest === "number" ? { status: rest } : rest;
    this.name = "AwsError";
    this.code = code;
    this.status = status;
    this.members = members;
  }
}

interface ErrorRest {
  readonly status?: number;
  readonly members?: Readonly<Record<string, string>>;
}

/** How a service words what may happen to any of its requests. */
export interface ServiceErrors {
  /** Its answer to who calls too often. */
  throttled(): AwsError;
  /** Its answer when it fails itself. */
  failed(): AwsError;
  /** Its answer when what the input names is not there; as EC2 words it, by the first id, when undefined. */
  readonly missing?: (input: object) => AwsError | undefined;
}

/** EC2's word for its own failure, and of those who speak like it. */
export const internalError = () => new AwsError("InternalError", "An internal error has occurred", 500);

/** The data folder cannot be used: another process has it, or a newer version wrote it. */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
}

/** Why a command of the sandbox's group cannot do what it was asked. */
export type CommandTrouble = "invalid" | "forbidden" | "notFound" | "conflict" | "unavailable";

/** What a command of the sandbox's group tells its user: what is wrong, and what would be right. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly trouble: CommandTrouble;
  readonly hint: string | undefined;

  constructor(trouble: CommandTrouble, message: string, hint?: string) {
    super(message);
    this.trouble = trouble;
    this.hint = hint;
  }
}
