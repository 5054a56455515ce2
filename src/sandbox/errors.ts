/**
 * An error as AWS words it: its code, the sentence, the HTTP status. Handlers throw it; the server turns it
 * into the protocol's body. Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.status = status;
  }
}

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
