/**
 * Probes: connections opened from inside a dataset's VPC, to prove that a connector is reachable without a host there.
 * What is to be connected to is checked here, before anything is made for it.
 */
import { z } from "zod";
import { parseCidr } from "../domain/cidr.ts";
import {
  PROBE_PROTOCOLS,
  PROBE_STAGES,
  PROBE_STATES,
  PROBE_VERDICTS,
  type ProbeTarget,
} from "../domain/probe.ts";
import { define, forTenant, inDataset } from "./define.ts";
import * as shape from "./schemas.ts";

const KAFKA_PORTS = "9092 plaintext, 9094 TLS, 9096 SCRAM, 9098 IAM";
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;

/** What is wrong with it, or host and port. */
export function parseTarget(text: string): ProbeTarget | { readonly problem: string } {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    return { problem: `"${text}" is a URL: write HOST:PORT, without a scheme and a path` };
  if (text.includes("[") || text.split(":").length > 2)
    return {
      problem: `"${text}" looks like IPv6, and the VPCs are IPv4 alone: write an IPv4 address or a name, and a port`,
    };
  const [host = "", port] = text.split(":");
  if (!port) return { problem: `"${text}" has no port: write HOST:PORT (of MSK's brokers: ${KAFKA_PORTS})` };
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535)
    return { problem: `"${port}" is no port: it is a number from 1 to 65535` };
  const problem = hostProblem(host);
  return problem === null ? { host: host.toLowerCase(), port: Number(port) } : { problem };
}

function hostProblem(host: string): string | null {
  if (host === "") return "it has no host: write HOST:PORT";
  // Digits and dots alone are meant for an address, and are no name that anybody could have.
  if (/^[\d.]+$/.test(host)) {
    const parsed = parseCidr(`${host}/32`);
    return "cidr" in parsed ? null : `"${host}" is no IPv4 address`;
  }
  const labels = host.replace(/\.$/, "").split(".");
  if (host.length <= 253 && labels.every((label) => LABEL.test(label))) return null;
  return `"${host}" is no name of a host: labels of up to 63 letters, digits and hyphens, with dots between them`;
}

const target = z
  .string()
  .superRefine((text, context) => {
    const parsed = parseTarget(text);
    if ("problem" in parsed) context.addIssue({ code: "custom", message: parsed.problem });
  })
  .meta({
    id: "ProbeTarget",
    description: "What to connect to, as HOST:PORT",
    examples: ["172.31.0.10:9092"],
  });

const ca = z
  .string()
  .max(65_536, "is longer than 64 KiB")
  .regex(/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/, "has no certificate in PEM")
  .describe("Certificates of authorities to trust instead of the public ones, in PEM");

const certificate = z.object({
  subject: z.string(),
  issuer: z.string(),
  names: z.string().describe("What it is for; empty for an authority's"),
  validFrom: z.string(),
  validTo: z.string(),
});

export const probe = z
  .object({
    probeId: z.string(),
    datasetName: shape.datasetName,
    target: z.string(),
    protocol: z.enum(PROBE_PROTOCOLS),
    tls: z.boolean().describe("Whether TLS is spoken"),
    state: z
      .enum(PROBE_STATES)
      .describe("waiting: its function is being made; done: it was tried; failed: it could not be tried"),
    statusReason: z.string().nullable().describe("What it waits for, or why it failed"),
    verdict: z
      .enum(PROBE_VERDICTS)
      .nullable()
      .describe(
        "noRoute: nothing leads there; refused: the host is there, the port is closed; filtered: no answer; " +
          "null: it was not tried yet",
      ),
    summary: z.string().nullable().describe("The verdict in one sentence"),
    nextStep: z.string().nullable().describe("What to do"),
    stages: z.array(
      z.object({
        stage: z.enum(PROBE_STAGES),
        outcome: z.enum(["ok", "failed", "skipped"]).describe("skipped: not told without credentials"),
        ms: z.number().nullable().describe("Milliseconds; null: judged by the route tables"),
        detail: z.string(),
      }),
    ),
    addresses: z.array(z.string()).describe("What the name resolves to, in the VPC"),
    certificates: z.array(certificate).describe("The server's, then those who vouch for it"),
    kafka: z
      .object({
        requests: z.number().int().describe("How many kinds of requests it understands"),
        fetchVersions: z.string().describe("Versions of the request that reads records"),
        mechanisms: z.array(z.string()).describe("By which clients must authenticate; empty: they need not"),
        clusterId: z.string().nullable(),
        controllerId: z.number().int().nullable(),
        brokers: z.array(z.object({ id: z.number().int(), host: z.string(), port: z.number().int() })),
      })
      .nullable(),
    askedBy: z.string().describe("Name of the key"),
    askedDatetime: shape.moment,
    startedDatetime: shape.moment.nullable(),
    endedDatetime: shape.moment.nullable(),
  })
  .meta({ id: "Probe" });

const columns = ["target", "protocol", "state", "verdict", "statusReason"];

export const probeOperations = {
  "vpcs.probe": define({
    method: "POST",
    path: "/v1/datasets/{datasetName}/probes",
    summary: "Open a connection from inside a dataset's VPC",
    description:
      "A function of ours in the private subnets resolves the name, connects, and greets by TLS or Kafka; it tells of " +
      "each stage what happened, and apart: no name, no route, refused, filtered, TLS failure, not Kafka. It is made " +
      "at the first probe, which takes a minute or two on AWS, and goes with the VPC. Needs `serve --functionRoleArn`. " +
      "`letsdata vpcs probe` is short for `letsdata vpcs probe run`. Exit code 0: reachable; 5: it is not, or the probe " +
      "could not be tried; 7: the time is over.",
    access: "member",
    tenantScoped: true,
    status: 202,
    params: inDataset,
    query: z.object({ ...forTenant }),
    body: z.object({
      target,
      protocol: z
        .enum(PROBE_PROTOCOLS)
        .default("tcp")
        .describe("How far to go: tcp connects, tls shakes hands, kafka greets as a client does"),
      tls: z
        .enum(["auto", "on", "off"])
        .default("auto")
        .describe(
          "With kafka: whether TLS is spoken (auto: at MSK's ports 9094, 9096, 9098 and 9194, 9196, 9198)",
        ),
      ca: ca.optional(),
      stageSeconds: z
        .number()
        .int()
        .min(1)
        .max(10)
        .default(5)
        .describe("How long one stage may take; all together 20 s"),
    }),
    answer: probe,
    idempotent: false,
    command: {
      path: ["vpcs", "probe", "run"],
      short: true,
      columns,
      fileFlags: { ca: "caFile" },
      outcome: { field: "verdict", good: ["reachable"], told: "summary", hint: "nextStep" },
      examples: [
        {
          what: "Can the dataset reach a service of the customer's?",
          command: "letsdata vpcs probe --datasetName Clicks --target 172.31.0.10:5432",
        },
        {
          what: "Is a broker of the dataset's cluster there, and does it speak Kafka?",
          command:
            "letsdata vpcs probe --datasetName Clicks --target b-1.example.kafka.us-east-1.amazonaws.com:9096 --protocol kafka",
        },
        {
          what: "With an authority of your own",
          command:
            "letsdata vpcs probe --datasetName Clicks --target 172.31.0.10:8443 --protocol tls --caFile ca.pem",
        },
      ],
      wait: {
        operation: "vpcs.viewProbe",
        field: "state",
        done: ["done"],
        failed: ["failed"],
        always: true,
        subject: "target",
        defaultTimeoutSeconds: 600,
      },
    },
  }),
  "vpcs.viewProbe": define({
    method: "GET",
    path: "/v1/datasets/{datasetName}/probes/{probeId}",
    summary: "Show what a probe found",
    description: "As far as it is. The last hundred of each VPC are kept.",
    access: "viewer",
    tenantScoped: true,
    status: 200,
    params: inDataset.extend({
      probeId: z
        .string()
        .regex(/^prb_[a-z0-9]+$/, "must look like prb_…")
        .meta({ id: "ProbeId", description: "Id of the probe", examples: ["prb_abc123"] }),
    }),
    query: z.object({ ...forTenant }),
    body: null,
    answer: probe,
    idempotent: false,
    command: {
      path: ["vpcs", "probe", "view"],
      columns,
      examples: [
        {
          what: "One that was asked for before",
          command: "letsdata vpcs probe view --datasetName Clicks --probeId prb_abc123",
        },
      ],
    },
  }),
} as const;
