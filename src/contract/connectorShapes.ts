/**
 * The shapes of what a write connector is made of: its cluster, where clients begin, the data task's functions, and
 * ready snippets for clients.
 */
import { z } from "zod";
import { deleteStep } from "./plans.ts";
import { condition } from "./schemas.ts";

const brokers = z.string().nullable();

export const bootstrapBrokers = z
  .object({
    iam: brokers.describe("SASL with IAM over TLS"),
    scram: brokers.describe("SASL/SCRAM over TLS"),
    tls: brokers.describe("TLS, without a user"),
    plaintext: brokers.describe("Neither"),
  })
  .meta({ id: "BootstrapBrokers", description: "By how a client says who it is; null where it cannot" });

const cluster = z
  .object({
    clusterArn: z.string().nullable(),
    clusterName: z.string().nullable(),
    clusterType: z.string(),
    state: z.string().nullable().describe("AWS's own word for it; null while it is not there"),
    stateReason: z.string().nullable().describe("AWS's reason, where it gives one"),
    version: z.string(),
    availableVersions: z.array(z.string()).describe("What it could be upgraded to, by AWS's own means"),
    instanceType: z.string(),
    brokerCount: z.number().int(),
    volumeGiB: z.number().nullable().describe("Of each broker; null where storage has no size"),
    authentication: z.string(),
    topic: z.string().nullable(),
    topicState: z.string().nullable().describe("AWS's own word for it; null while it is not there"),
    partitions: z.number().nullable().describe("Of the topic, as it is or is to be"),
    replicationFactor: z.number().nullable(),
    bootstrapBrokers,
    brokers: z.array(
      z.object({
        brokerId: z.number().int(),
        privateIp: z.string(),
        subnetId: z.string(),
        networkInterfaceId: z.string(),
      }),
    ),
  })
  .meta({ id: "Cluster" });

const attachedFunction = z
  .object({
    functionArn: z.string(),
    state: z.string().nullable().describe("AWS's own word for it; null while nobody has looked"),
    lastUpdateStatus: z.string().nullable(),
    isAttached: z.boolean().describe("It stands in the dataset's VPC"),
  })
  .meta({ id: "AttachedFunction" });

export const clientSnippets = z
  .object({
    properties: z.string().describe("For clients in Java, and Kafka's own commands"),
    node: z.string(),
    python: z.string(),
    notes: z.array(z.string()).describe("What else has to be done for it to work"),
  })
  .meta({ id: "ClientSnippets" });

export const writeConnector = z
  .object({
    datasetName: z.string(),
    connectorDestination: z.string(),
    status: z
      .enum(["CREATING", "ACTIVE", "DELETING", "DELETED", "ERROR"])
      .describe("Of network, cluster and functions together"),
    statusReason: z.string().nullable().describe("What it waits for or what blocks it"),
    vpcId: z.string().nullable(),
    cidrBlock: z.string().nullable(),
    vpcStatus: z.string().nullable().describe("Of the VPC alone: it is there long before its cluster"),
    cluster: cluster.nullable().describe("null: there is none of ours"),
    functions: z.array(attachedFunction),
    conditions: z.array(condition).describe("One for each resource"),
    deletePlan: z.array(deleteStep).nullable().describe("While it is being deleted: what goes, in order"),
    clientSnippets: clientSnippets.optional(),
  })
  .meta({ id: "WriteConnector" });
