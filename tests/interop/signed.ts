/**
 * One request of AWS's query protocol, signed here by hand: nothing of the SDK and nothing of the sandbox's own
 * verifier has a part in it. Answers whatever the cloud says; a refusal is an answer too.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from "node:crypto";

export interface Asking {
  readonly endpoint: string;
  /** 12 digits: the access key, whose secret is `test`. */
  readonly account: string;
  readonly action: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly service?: string;
  readonly region?: string;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

const VERSIONS: Readonly<Record<string, string>> = { ec2: "2016-11-15", sts: "2011-06-15" };

/** A request of the query protocol. */
export async function ask(asking: Asking): Promise<Answered> {
  const { endpoint, action, parameters = {}, service = "ec2" } = asking;
  const body = new URLSearchParams({ Action: action, Version: VERSIONS[service] ?? "", ...parameters });
  const answer = await fetch(`${endpoint}/`, {
    method: "POST",
    headers: signedHeaders(asking, body.toString()),
    body: body.toString(),
  });
  return { status: answer.status, text: await answer.text() };
}

function signedHeaders(
  { endpoint, account, service = "ec2", region = "us-east-1" }: Asking,
  body: string,
): Record<string, string> {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const headers = {
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    host: new URL(endpoint).host,
    "x-amz-date": stamp,
  };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}`);
  const canonical = ["POST", "/", "", ...lines, "", names, sha256(body)].join("\n");
  const scope = [stamp.slice(0, 8), region, service, "aws4_request"];
  const key = scope.reduce<Buffer | string>(hmac, "AWS4test");
  const text = ["AWS4-HMAC-SHA256", stamp, scope.join("/"), sha256(canonical)].join("\n");
  const authorization = `AWS4-HMAC-SHA256 Credential=${account}/${scope.join("/")}, SignedHeaders=${names}, Signature=${hmac(key, text).toString("hex")}`;
  return { ...headers, authorization };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
