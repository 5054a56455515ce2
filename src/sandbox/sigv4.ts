/**
 * Verifies AWS's signature, version 4, in the Authorization header. Promises that who calls is the owner of
 * the key that signed exactly this request, within five minutes of the sandbox's clock. Refuses everything
 * else with the code the called service uses. Signatures in the query string are not read.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { RawRequest } from "./codec.ts";
import { AwsError } from "./errors.ts";

/** Several values of one header in the order they came. */
export type SignedRequest = RawRequest;

/** An access key and whose it is. */
export interface Key {
  readonly account: string;
  readonly secret: string;
  readonly arn: string;
  /** Of temporary credentials: the token that must come with them, and when they end (epoch milliseconds). */
  readonly sessionToken?: string;
  readonly expiresAt?: number;
}

/** What the Authorization header says, not yet believed. */
export interface Claim {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const CREDENTIAL = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/;

/** Codes: MissingAuthenticationToken without a header, IncompleteSignature for one that cannot be read. */
export function readClaim(request: SignedRequest): Claim {
  const header = request.headers.authorization?.[0];
  if (!header)
    throw new AwsError("MissingAuthenticationToken", "The request must contain valid credentials.", 403);
  const fields = new Map(
    header
      .slice(ALGORITHM.length)
      .split(",")
      .map((field) => field.trim().split("=", 2) as [string, string | undefined]),
  );
  const credential = CREDENTIAL.exec(fields.get("Credential") ?? "");
  const signature = fields.get("Signature") ?? "";
  const signedHeaders = fields.get("SignedHeaders")?.split(";") ?? [];
  if (!header.startsWith(`${ALGORITHM} `) || !credential || !/^[0-9a-f]{64}$/.test(signature))
    throw new AwsError(
      "IncompleteSignature",
      "The request signature does not conform to AWS standards.",
      400,
    );
  const [, accessKeyId = "", date = "", region = "", service = ""] = credential;
  return { accessKeyId, date, region, service, signedHeaders, signature };
}

interface Judging {
  readonly key: Key | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  /** How far the request's time may be from `now`. */
  readonly skewMs: number;
}

/** Throws the service's refusal unless the claim is true. */
export function verify(request: SignedRequest, claim: Claim, { key, now, skewMs }: Judging): void {
  if (!key) throw refusal("unknownKey", claim);
  const stamp = request.headers["x-amz-date"]?.[0] ?? "";
  const signedAt = Date.parse(stamp.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  if (!stamp.startsWith(claim.date) || !(Math.abs(now - signedAt) <= skewMs)) throw refusal("skewed", claim);
  const token = request.headers["x-amz-security-token"]?.[0];
  if (token !== key.sessionToken) throw refusal("unknownKey", claim);
  if (!claim.signedHeaders.includes("host") || !signatureIs(request, claim, { secret: key.secret, stamp }))
    throw refusal("wrongSignature", claim);
  // Judged last: only the owner of the key learns that it was one.
  if (key.expiresAt !== undefined && key.expiresAt <= now) throw refusal("expiredKey", claim);
}

function signatureIs(
  request: SignedRequest,
  claim: Claim,
  { secret, stamp }: { secret: string; stamp: string },
): boolean {
  const scope = [claim.date, claim.region, claim.service, "aws4_request"];
  const key = scope.reduce<Buffer | string>(hmac, `AWS4${secret}`);
  const hash = sha256(canonicalRequest(request, claim.signedHeaders));
  const expected = hmac(key, [ALGORITHM, stamp, scope.join("/"), hash].join("\n"));
  return timingSafeEqual(expected, Buffer.from(claim.signature, "hex"));
}

function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const { pathname, query } = split(request.url);
  // Each segment is encoded once more than it came: https://docs.aws.amazon.com, "URI-encode each path segment twice".
  const path = pathname.split("/").map(encoded).join("/");
  const headers = signedHeaders.map((name) => {
    const values = request.headers[name] ?? [];
    return `${name}:${values.map((value) => value.trim().replace(/ +/g, " ")).join(",")}`;
  });
  return [
    request.method,
    path,
    canonicalQuery(query),
    ...headers,
    "",
    signedHeaders.join(";"),
    sha256(request.body),
  ].join("\n");
}

function split(url: string): { pathname: string; query: string } {
  const at = url.indexOf("?");
  return at < 0 ? { pathname: url, query: "" } : { pathname: url.slice(0, at), query: url.slice(at + 1) };
}

function canonicalQuery(query: string): string {
  const pairs = [...new URLSearchParams(query)].map(
    ([key, value]) => [encoded(key), encoded(value)] as const,
  );
  return pairs
    .sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)))
    .map((pair) => pair.join("="))
    .join("&");
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As RFC 3986 has it: everything but letters, digits and `-._~`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer | string, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

type Problem = "unknownKey" | "wrongSignature" | "skewed" | "expiredKey";

const NOT_VALIDATED = "AWS was not able to validate the provided access credentials";

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html */
const EC2_REFUSALS: Record<Problem, readonly [code: string, message: string, status: number]> = {
  unknownKey: ["AuthFailure", NOT_VALIDATED, 401],
  wrongSignature: ["AuthFailure", NOT_VALIDATED, 401],
  skewed: ["RequestExpired", "Request has expired.", 400],
  expiredKey: ["RequestExpired", "Request has expired.", 400],
};

/** https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html */
const COMMON_REFUSALS: typeof EC2_REFUSALS = {
  unknownKey: ["InvalidClientTokenId", "The security token included in the request is invalid.", 403],
  wrongSignature: [
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
    403,
  ],
  skewed: ["SignatureDoesNotMatch", "Signature expired or not yet current.", 403],
  expiredKey: ["ExpiredToken", "The security token included in the request is expired", 403],
};

/** https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/CommonErrors.html */
const JSON_REFUSALS: typeof EC2_REFUSALS = {
  unknownKey: ["UnrecognizedClientException", "The security token included in the request is invalid.", 400],
  wrongSignature: ["InvalidSignatureException", COMMON_REFUSALS.wrongSignature[1], 400],
  skewed: ["InvalidSignatureException", "Signature expired or not yet current.", 400],
  expiredKey: ["ExpiredTokenException", "The security token included in the request is expired", 400],
};

/**
 * https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html
 * https://docs.aws.amazon.com/msk/1.0/apireference/CommonErrors.html
 */
const REST_REFUSALS: typeof EC2_REFUSALS = {
  unknownKey: [JSON_REFUSALS.unknownKey[0], JSON_REFUSALS.unknownKey[1], 403],
  wrongSignature: [JSON_REFUSALS.wrongSignature[0], JSON_REFUSALS.wrongSignature[1], 403],
  skewed: [JSON_REFUSALS.skewed[0], JSON_REFUSALS.skewed[1], 403],
  expiredKey: [JSON_REFUSALS.expiredKey[0], JSON_REFUSALS.expiredKey[1], 403],
};

const REFUSALS: Readonly<Record<string, typeof EC2_REFUSALS>> = {
  ec2: EC2_REFUSALS,
  servicequotas: JSON_REFUSALS,
  kafka: REST_REFUSALS,
  lambda: REST_REFUSALS,
};

function refusal(problem: Problem, { service }: Claim): AwsError {
  const refusals = (Object.hasOwn(REFUSALS, service) ? REFUSALS[service] : undefined) ?? COMMON_REFUSALS;
  const [code, message, status] = refusals[problem];
  return new AwsError(code, message, status);
}
