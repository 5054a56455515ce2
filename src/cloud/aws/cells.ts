/**
 * The SDK clients for each cell (account, role, region), made at first use and kept. Promises that
 * every call goes through the limiter and none is repeated by the SDK itself, that connections are reused, and
 * that no call hangs: 5 s to connect, 30 s to answer.
 */
import { EC2Client, type EC2ClientConfig } from "@aws-sdk/client-ec2";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { STSClient } from "@aws-sdk/client-sts";
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import type { Cell } from "../../domain/model.ts";
import { CallError } from "./callError.ts";
import { type CallTools, type ClientPlace, guarded } from "./calls.ts";

/** Keys, or a function that gives them; without either the SDK's own chain finds them. */
export type Credentials = NonNullable<EC2ClientConfig["credentials"]>;

export interface CellOptions extends CallTools {
  /** Another place than AWS, for all services. */
  readonly endpoint?: string;
  readonly credentials?: Credentials;
  /** For the role's trust policy: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html */
  readonly externalId?: string;
  readonly installation: string;
}

export interface CellClients {
  readonly ec2: EC2Client;
  readonly sts: STSClient;
  readonly quotas: ServiceQuotasClient;
}

export interface Cells {
  clients(cell: Cell): CellClients;
  /** Ends the connections; calls under way fail. */
  close(): void;
}

const CONNECT_MS = 5_000;
const ANSWER_MS = 30_000;
const SOCKETS = 50;
/**
 * An idle connection is ended by us before AWS ends it: one that AWS has just ended swallows the next call, and
 * of a create nobody would know whether it arrived.
 */
const IDLE_MS = 10_000;

export function cells(options: CellOptions): Cells {
  const known = new Map<string, CellClients>();
  return {
    clients(cell) {
      const key = JSON.stringify([cell.account, cell.roleArn, cell.region]);
      const found = known.get(key);
      if (found) return found;
      const made = makeClients(options, cell);
      known.set(key, made);
      return made;
    },
    close() {
      for (const { ec2, sts, quotas } of known.values()) {
        ec2.destroy();
        sts.destroy();
        quotas.destroy();
      }
      known.clear();
    },
  };
}

function makeClients(options: CellOptions, cell: Cell): CellClients {
  const credentials = cell.roleArn ? assumed(options, cell, cell.roleArn) : options.credentials;
  const config = { ...connection(options, cell), ...(credentials && { credentials }) };
  const ec2 = new EC2Client(config);
  const sts = new STSClient(config);
  const quotas = new ServiceQuotasClient(config);
  const step = { step: "initialize", name: "letsdataCalls", priority: "high" } as const;
  ec2.middlewareStack.add(guarded(placeOf(options, cell, "ec2"), options), step);
  sts.middlewareStack.add(guarded(placeOf(options, cell, "sts"), options), step);
  quotas.middlewareStack.add(guarded(placeOf(options, cell, "servicequotas"), options), step);
  return { ec2, sts, quotas };
}

function connection({ endpoint }: CellOptions, cell: Cell) {
  const agent = { keepAlive: true, maxSockets: SOCKETS, timeout: IDLE_MS };
  return {
    region: cell.region,
    maxAttempts: 1,
    ...(endpoint && { endpoint }),
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}

function placeOf(options: CellOptions, cell: Cell, service: ClientPlace["service"]): ClientPlace {
  const endpoint = options.endpoint ?? `https://${service}.${cell.region}.amazonaws.com`;
  return { service, account: cell.account, region: cell.region, endpoint };
}

/** Session names allow `[\w+=,.@-]`, 64 at most: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function sessionName(installation: string): string {
  return `letsdata-${installation}`.replace(/[^\w+=,.@-]/g, "-").slice(0, 64);
}

/** The role's credentials, renewed by the SDK before they end; what STS refuses is named as STS's. */
function assumed(options: CellOptions, cell: Cell, roleArn: string): Credentials {
  const { externalId, credentials } = options;
  const provide = fromTemporaryCredentials({
    params: {
      RoleArn: roleArn,
      RoleSessionName: sessionName(options.installation),
      ...(externalId && { ExternalId: externalId }),
    },
    clientConfig: connection(options, cell),
    ...(credentials && { masterCredentials: credentials }),
  });
  const place = { ...placeOf(options, cell, "sts"), action: "sts:AssumeRole" };
  return async (...caller) => {
    try {
      return await provide(...caller);
    } catch (thrown) {
      throw new CallError(thrown, place, { sent: false });
    }
  };
}
