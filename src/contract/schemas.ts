/**
 * The shapes that cross the API, declared once: what is accepted, what is answered. The server checks
 * requests with them, the OpenAPI document and the command line are generated from them, the client's types
 * are inferred from them. Every field bears its description, because help texts and documents show it.
 */
import { z } from "zod";
import { type Cidr, parseCidr } from "../domain/cidr.ts";
import { DATASET_STATUSES, REGIONS, ROLES, VPC_SIZES } from "../domain/model.ts";
import { checkConnector, checkFunctions, computeEngine, kafka } from "./kafka.ts";
import { cost, deleteStep } from "./plans.ts";

/** A block in CIDR notation; host bits and other slips are refused with what was probably meant. */
export const cidrBlock = z
  .string()
  .superRefine((text, context) => {
    const parsed = parseCidr(text);
    if ("problem" in parsed) context.addIssue({ code: "custom", message: parsed.problem });
  })
  .transform((text) => text as Cidr)
  .meta({ id: "Cidr", description: "An IPv4 block, without host bits", examples: ["10.4.8.0/25"] });

export const moment = z.string().meta({ format: "date-time", examples: ["2026-11-23T10:00:00.000Z"] });

export const tenantName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/,
    "must be 1 to 63 letters, digits and hyphens, beginning with a letter or digit",
  )
  .meta({ id: "TenantName", description: "Name of the tenant", examples: ["acme"] });

export const datasetName = z
  .string()
  .regex(/^[A-Za-z0-9]{1,63}$/, "must be 1 to 63 letters and digits, nothing else")
  .meta({ id: "DatasetName", description: "Name of the dataset", examples: ["Clicks"] });

export const connectionId = z
  .string()
  .regex(/^pcx-[0-9a-f]{8,17}$/, "must look like pcx-0123456789abcdef0")
  .meta({
    id: "VpcPeeringConnectionId",
    description: "Id of the VPC peering connection, from create-vpc-peering-connection",
    examples: ["pcx-0123456789abcdef0"],
  });

export const account = z
  .string()
  .regex(/^\d{12}$/, "must be an AWS account id: 12 digits")
  .meta({ id: "AccountId", description: "An AWS account id", examples: ["123456789012"] });

export const keyId = z
  .string()
  .regex(/^key_[a-z0-9]+$/, "must look like key_…")
  .meta({ id: "KeyId", description: "Id of the key", examples: ["key_abc123"] });

/** One page of a list. */
export function page<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe("Give it as `cursor` for the next page; null on the last one"),
    notes: z.array(z.string()).optional().describe("What else is to know about this list"),
  });
}

export const paging = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .describe("How many items a page holds, at most 1000"),
  cursor: z.string().optional().describe("Where to go on: `nextCursor` of the page before"),
};

export const tenant = z
  .object({
    tenantName,
    tenantId: z.string(),
    avoidCidrs: z
      .array(z.string())
      .describe("The tenant's own networks: no dataset gets a range that overlaps them"),
    tenantRanges: z.array(z.string()).describe("The /21 ranges the tenant owns"),
    tenantRangeLimit: z.number().int().describe("How many /21 ranges it may own"),
    createdDatetime: moment,
  })
  .meta({ id: "Tenant" });

export const apiKey = z
  .object({
    keyId: z.string(),
    name: z.string(),
    role: z.enum(ROLES).describe("viewer reads, member writes, admin also manages keys"),
    tenantName: z.string().nullable().describe("null: the operator's key"),
    prefix: z.string().describe("How the key begins, to recognise it by"),
    createdDatetime: moment,
    revokedDatetime: moment.nullable(),
  })
  .meta({ id: "ApiKey" });

export const newApiKey = apiKey
  .extend({
    apiKey: z.string().describe("The key itself. It is shown this once and kept only as a hash"),
  })
  .meta({ id: "NewApiKey" });

export const condition = z
  .object({
    resource: z.string().describe("The resource's key in the network, such as nat/1"),
    id: z.string().nullable().describe("The id AWS gave it"),
    state: z.enum(["ready", "waiting", "blocked", "deleting"]),
    message: z.string().describe("What is waited on, or what blocks"),
    whoseMove: z.enum(["letsdata", "aws", "operator", "customer"]),
    hint: z.string().nullable().describe("What to do"),
    since: moment,
    usualSeconds: z.number().nullable().describe("How long this usually takes"),
  })
  .meta({ id: "Condition" });

const ignoreCase = (value: unknown) => (typeof value === "string" ? value.toLowerCase() : value);

export const writeConnector = z
  .looseObject({
    connectorDestination: z
      .enum(["Kafka", "S3", "DynamoDB", "Kinesis", "SQS", "SNS", "OpenSearch", "Momento", "S3Spark"])
      .describe("Where the dataset writes. Kafka gets a VPC, the others need none"),
    resourceLocation: z
      .preprocess(ignoreCase, z.enum(["letsdata", "customer"]))
      .default("letsdata")
      .describe("Who owns the destination. The customer's own gets no VPC from us"),
    vpcSize: z
      .enum(VPC_SIZES)
      .default("small")
      .describe("small = /25 (128 addresses), medium = /23 (512), large = /22 (1024)"),
    vpcCidrBlock: cidrBlock.optional().describe("A range of your own choice; without it one is chosen"),
    kafka: kafka.optional(),
  })
  .superRefine(checkConnector)
  .describe("Where the dataset writes to");

const section = z.record(z.string(), z.unknown());

export const datasetConfiguration = z
  .looseObject({
    datasetName,
    region: z.enum(REGIONS).describe("AWS region of the dataset"),
    customerAccountForAccess: account.describe("The AWS account that may peer: 12 digits"),
    accessGrantRoleArn: z
      .string()
      .regex(
        /^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/,
        "must be the ARN of an IAM role: arn:aws:iam::<12 digits>:role/<name>",
      )
      .optional()
      .describe("The IAM role that grants us access"),
    writeConnector,
    readConnector: section.optional().describe("Kept as given"),
    errorConnector: section.optional().describe("Kept as given"),
    computeEngine: computeEngine.optional(),
    manifestFile: section.optional().describe("Kept as given"),
  })
  .superRefine(checkFunctions)
  .meta({
    id: "DatasetConfiguration",
    examples: [
      {
        datasetName: "Clicks",
        region: "us-east-1",
        customerAccountForAccess: "123456789012",
        writeConnector: { connectorDestination: "Kafka", vpcSize: "small" },
      },
    ],
  });

export const dataset = z
  .object({
    datasetName: z.string(),
    datasetId: z.string(),
    tenantName: z.string(),
    region: z.enum(REGIONS),
    customerAccountForAccess: z.string(),
    status: z.enum(DATASET_STATUSES),
    statusReason: z.string().nullable().describe("What it waits for or what blocks it"),
    connectorDestination: z.string(),
    vpcSize: z.enum(VPC_SIZES).nullable(),
    cidrBlock: z.string().nullable().describe("The dataset's range; null when it needs no VPC"),
    vpcId: z.string().nullable(),
    createdDatetime: moment,
    deletedDatetime: moment.nullable(),
  })
  .meta({ id: "Dataset" });

export const datasetDetail = dataset
  .extend({
    conditions: z.array(condition).describe("One for each resource of the network"),
    observedDatetime: moment.nullable().describe("When the cloud was last looked at"),
    deletePlan: z
      .array(deleteStep)
      .nullable()
      .describe("While it is being deleted: what goes, in order, and what is in the way; null otherwise"),
    cost: cost.nullable().describe("What it costs now, by what is there; null when nothing was ever there"),
    configuration: z
      .record(z.string(), z.unknown())
      .describe("The configuration as it was given, with the defaults filled in"),
  })
  .meta({ id: "DatasetDetail" });

export const rangeUse = z
  .object({
    cidrBlock: z.string(),
    kind: z.enum(["pool", "tenantRange", "datasetRange", "free", "excluded"]),
    state: z.enum(["used", "quarantined", "free", "excluded"]),
    tenantName: z.string().nullable(),
    datasetName: z.string().nullable(),
    freeDatetime: moment.nullable().describe("When a resting range is free again"),
    addresses: z.number().describe("How many addresses the block has"),
    usedAddresses: z.number(),
    depth: z.number().int().describe("How deep it lies in the tree: 0 = pool"),
    note: z.string().nullable().describe("Why it is closed, or what it collides with"),
  })
  .meta({ id: "RangeUse" });

export const settings = z
  .object({
    installation: z.string().describe("Names this installation in every tag"),
    addressSpace: z.array(z.string()).describe("Pools that tenant ranges come from"),
    excludedCidrs: z.array(z.string()).describe("Blocks that nobody gets"),
    excludedZoneIds: z.array(z.string()).describe("Availability zones that are not used"),
    quarantineSeconds: z.number().int().describe("How long a freed range rests"),
    defaultTenantRangeLimit: z.number().int().describe("How many /21 ranges a new tenant may own"),
  })
  .meta({ id: "Settings" });

export const auditRecord = z
  .object({
    id: z.string(),
    at: moment,
    tenantName: z.string().nullable(),
    keyId: z.string(),
    keyName: z.string(),
    action: z.string().describe("The operation"),
    subject: z.string().describe("What it was done to"),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "AuditRecord" });

/** RFC 9457; the media type is application/problem+json. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    message: z.string(),
    hint: z.string().nullable(),
    requestId: z.string(),
    problems: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe("Each thing that is wrong with the request, by the path of its field"),
  })
  .meta({ id: "Problem", description: "What went wrong and what to do, after RFC 9457" });
