/** The operator's Lambda functions, as a test makes them before a dataset names them. */
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import { PLATFORM } from "./house.ts";
import { present } from "./networks.ts";

/** Answers with its event. */
const ZipFile = zipSync({ "index.js": strToU8("exports.handler = async (event) => event;") });

/** The ARN of a new function of the platform's, in no VPC. */
export async function makeFunction(endpoint: string, FunctionName: string): Promise<string> {
  const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
  const client = new LambdaClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
  try {
    const made = await client.send(
      new CreateFunctionCommand({
        FunctionName,
        Role: `arn:aws:iam::${PLATFORM}:role/functions`,
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Code: { ZipFile },
      }),
    );
    return present(made.FunctionArn);
  } finally {
    client.destroy();
  }
}
