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
