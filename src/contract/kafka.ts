/**
 * The parts of a dataset's configuration that say what runs in its VPC: the Kafka cluster, and the functions of the
 * data task. What AWS would refuse is refused here, with what would be right; the rules themselves are the domain's.
 */
import { z } from "zod";
import {
  AUTHENTICATIONS,
  CLUSTER_TYPES,
  DEFAULT_VERSION,
  functionArn,
  kafkaProblems,
  MOST_VOLUME_GIB,
} from "../domain/kafka.ts";
import type { VpcSize } from "../domain/model.ts";

export const volumeGiB = z.number().int().min(1).max(MOST_VOLUME_GIB);
export const partitions = z.number().int().min(1);

export const kafka = z
  .strictObject({
    clusterType: z
      .enum(CLUSTER_TYPES)
      .default("provisioned")
      .describe("provisioned = standard brokers, express = express brokers, none = the VPC alone"),
    version: z
      .string()
      .optional()
      .describe(`Kafka's version in KRaft mode, as MSK writes it; default ${DEFAULT_VERSION}`),
    instanceType: z
      .string()
      .optional()
      .describe("Of each broker, such as kafka.m7g.large; without it one that suits vpcSize"),
    brokersPerZone: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("In each of three zones; without it 1, or 2 for a large VPC"),
    volumeGiB: volumeGiB
      .optional()
      .describe(
        "Storage of each broker; without it 100, 500 or 1000 by vpcSize. It can grow later, not shrink",
      ),
    authentication: z
      .enum(AUTHENTICATIONS)
      .optional()
      .describe("How clients say who they are: iam (the default), scram, or none"),
    topic: z
      .string()
      .optional()
      .describe("The topic that the data task writes to, made when the cluster is there; without it none"),
    partitions: partitions
      .optional()
      .describe("Of the topic; without it one for each broker. They can become more later, not fewer"),
    replicationFactor: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("Copies of each partition; without it 3, and at most one on each broker"),
  })
  .describe("The Kafka cluster; without it a provisioned one that suits vpcSize");

interface Connector {
  readonly connectorDestination: string;
  readonly resourceLocation: string;
  readonly vpcSize: VpcSize;
  readonly kafka?: z.output<typeof kafka> | undefined;
}

type Refine = z.core.$RefinementCtx;

/** Only a Kafka connector of ours has a cluster; and one that AWS would make. */
export function checkConnector(connector: Connector, context: Refine): void {
  const { connectorDestination, resourceLocation, vpcSize } = connector;
  if (!connector.kafka) return;
  const hasCluster = connector.kafka.clusterType !== "none";
  if (hasCluster && (connectorDestination !== "Kafka" || resourceLocation !== "letsdata"))
    context.addIssue({
      code: "custom",
      path: ["kafka"],
      message: "is only for a connectorDestination Kafka with resourceLocation letsdata: leave it out",
    });
  else
    for (const { field, message } of kafkaProblems(connector.kafka, vpcSize))
      context.addIssue({ code: "custom", path: ["kafka", field], message });
}

/** So many share the interfaces of a subnet without trouble, and are looked at in one pass. */
const MOST_FUNCTIONS = 10;

export const computeEngine = z
  .looseObject({
    computeEngineType: z.string().optional().describe("Lambda, or another kind; kept as given"),
    functionArns: z
      .array(z.string())
      .max(MOST_FUNCTIONS)
      .optional()
      .describe(
        "The data task's Lambda functions, attached to the private subnets of a Kafka connector's VPC",
      ),
  })
  .describe("What runs the data task; all but functionArns is kept as given");

interface Configuration {
  readonly region: string;
  readonly writeConnector: Connector;
  readonly computeEngine?: z.output<typeof computeEngine> | undefined;
}

export function checkFunctions(configuration: Configuration, context: Refine): void {
  const { writeConnector: connector, computeEngine: engine, region } = configuration;
  const arns = engine?.functionArns ?? [];
  const refuse = (index: number | null, message: string) =>
    context.addIssue({
      code: "custom",
      path: ["computeEngine", "functionArns", ...(index === null ? [] : [index])],
      message,
    });
  if (arns.length === 0) return;
  if (engine?.computeEngineType !== "Lambda") refuse(null, "needs computeEngineType Lambda");
  if (connector.connectorDestination !== "Kafka" || connector.resourceLocation !== "letsdata")
    refuse(
      null,
      "needs a VPC of ours, and only a Kafka write connector with resourceLocation letsdata has one",
    );
  for (const [index, arn] of arns.entries()) {
    const parts = functionArn(arn);
    if (!parts)
      refuse(
        index,
        `${arn} must be arn:aws:lambda:<region>:<12 digits>:function:<name>, without a version or an alias`,
      );
    else if (parts.region !== region)
      refuse(
        index,
        `${arn} is in ${parts.region}, and the dataset in ${region}: a function reaches its own region's VPCs`,
      );
    else if (arns.indexOf(arn) < index) refuse(index, `${arn} is named twice`);
  }
}
