/**
 * Stands in for `aws ec2 …` where the real command is not installed: the same request by the SDK, the same JSON
 * out. Knows the commands of our stories and README, with `--query` as a dotted path and `--output json|text`.
 * Refuses every command and option that it does not know, so that nothing is left out in silence.
 */
import { readFileSync } from "node:fs";
import * as ec2 from "@aws-sdk/client-ec2";

type Input = Record<string, unknown>;
type Kind = "text" | "list" | "filters" | "on" | "base64";

interface Known {
  readonly make: (input: never) => unknown;
  readonly options: Readonly<Record<string, readonly [member: string, kind: Kind]>>;
}

const PEERING_ID = { "vpc-peering-connection-id": ["VpcPeeringConnectionId", "text"] } as const;
const FILTERS = { filters: ["Filters", "filters"] } as const;

/** https://docs.aws.amazon.com/cli/latest/reference/ec2/ */
const COMMANDS: Readonly<Record<string, Known>> = {
  "create-vpc": {
    make: (input) => new ec2.CreateVpcCommand(input),
    options: { "cidr-block": ["CidrBlock", "text"] },
  },
  "modify-vpc-attribute": {
    make: (input) => new ec2.ModifyVpcAttributeCommand(input),
    options: { "vpc-id": ["VpcId", "text"], "enable-dns-hostnames": ["EnableDnsHostnames", "on"] },
  },
  "create-subnet": {
    make: (input) => new ec2.CreateSubnetCommand(input),
    options: { "vpc-id": ["VpcId", "text"], "cidr-block": ["CidrBlock", "text"] },
  },
  "describe-security-groups": {
    make: (input) => new ec2.DescribeSecurityGroupsCommand(input),
    options: FILTERS,
  },
  "run-instances": {
    make: (input: ec2.RunInstancesCommandInput) =>
      new ec2.RunInstancesCommand({ ...input, MinCount: 1, MaxCount: 1 }),
    options: {
      "image-id": ["ImageId", "text"],
      "subnet-id": ["SubnetId", "text"],
      "security-group-ids": ["SecurityGroupIds", "list"],
      "user-data": ["UserData", "base64"],
    },
  },
  "describe-instances": {
    make: (input) => new ec2.DescribeInstancesCommand(input),
    options: { "instance-ids": ["InstanceIds", "list"] },
  },
  "terminate-instances": {
    make: (input) => new ec2.TerminateInstancesCommand(input),
    options: { "instance-ids": ["InstanceIds", "list"] },
  },
  "create-vpc-peering-connection": {
    make: (input) => new ec2.CreateVpcPeeringConnectionCommand(input),
    options: {
      "vpc-id": ["VpcId", "text"],
      "peer-vpc-id": ["PeerVpcId", "text"],
      "peer-owner-id": ["PeerOwnerId", "text"],
      "peer-region": ["PeerRegion", "text"],
    },
  },
  "describe-vpc-peering-connections": {
    make: (input) => new ec2.DescribeVpcPeeringConnectionsCommand(input),
    options: { "vpc-peering-connection-ids": ["VpcPeeringConnectionIds", "list"], ...FILTERS },
  },
  "delete-vpc-peering-connection": {
    make: (input) => new ec2.DeleteVpcPeeringConnectionCommand(input),
    options: PEERING_ID,
  },
  "describe-route-tables": { make: (input) => new ec2.DescribeRouteTablesCommand(input), options: FILTERS },
  "create-route": {
    make: (input) => new ec2.CreateRouteCommand(input),
    options: {
      "route-table-id": ["RouteTableId", "text"],
      "destination-cidr-block": ["DestinationCidrBlock", "text"],
      ...PEERING_ID,
    },
  },
  "create-network-interface": {
    make: (input) => new ec2.CreateNetworkInterfaceCommand(input),
    options: { "subnet-id": ["SubnetId", "text"], description: ["Description", "text"] },
  },
  "delete-network-interface": {
    make: (input) => new ec2.DeleteNetworkInterfaceCommand(input),
    options: { "network-interface-id": ["NetworkInterfaceId", "text"] },
  },
};

const GLOBALS = ["endpoint-url", "region", "output", "query"];

interface Asked {
  readonly name: string;
  readonly known: Known;
  readonly input: Input;
  readonly globals: Readonly<Record<string, string>>;
}

/** Global options take one value and stand before or after the command's words. */
function parsed(argv: readonly string[]): Asked {
  const words: string[] = [];
  const given: Record<string, string[]> = {};
  const globals: Record<string, string> = {};
  let open: string[] = words;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    const option = word.startsWith("--") ? word.slice(2) : null;
    if (option === null) open.push(word);
    else if (GLOBALS.includes(option)) globals[option] = argv[++at] ?? "";
    else {
      open = [];
      given[option] = open;
    }
  }
  const [service, name = "", ...rest] = words;
  const known = COMMANDS[name];
  if (service !== "ec2" || !known || rest.length > 0)
    throw new Error(`the stand-in does not know: aws ${words.join(" ")}`);
  return { name, known, input: inputOf(known, name, given), globals };
}

function inputOf({ options }: Known, name: string, given: Readonly<Record<string, string[]>>): Input {
  return Object.fromEntries(
    Object.entries(given).map(([option, values]) => {
      const found = options[option];
      if (!found) throw new Error(`the stand-in does not know: aws ec2 ${name} --${option}`);
      return [found[0], memberOf(found[1], values)];
    }),
  );
}

function memberOf(kind: Kind, values: readonly string[]): unknown {
  if (kind === "on") return { Value: true };
  if (kind === "list") return values;
  if (kind === "text") return values[0];
  if (kind === "base64") return readFileSync((values[0] ?? "").replace(/^file:\/\//, "")).toString("base64");
  return values.map((text) => {
    const { 1: Name, 2: list = "" } = /^Name=([^,]+),Values=(.+)$/.exec(text) ?? [];
    if (!Name) throw new Error(`the stand-in does not understand the filter ${text}`);
    return { Name, Values: list.split(",") };
  });
}

async function answered({ known, input, globals }: Asked): Promise<Input> {
  const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_DEFAULT_REGION } = process.env;
  const endpoint = globals["endpoint-url"];
  const region = globals.region ?? AWS_DEFAULT_REGION;
  if (!endpoint || !region)
    throw new Error("the stand-in needs --endpoint-url, and --region or AWS_DEFAULT_REGION");
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const client = new ec2.EC2Client({ endpoint, region, credentials, maxAttempts: 1 });
  try {
    // The commands of the table are of many types, and the client's types want one at a time.
    const reply: unknown = await client.send(known.make(input as never) as never);
    const { $metadata, ...answer } = reply as Input;
    return answer;
  } finally {
    client.destroy();
  }
}

function picked(answer: unknown, path: string | undefined): unknown {
  const names = (path ?? "").split(/[.[\]]+/).filter(Boolean);
  return names.reduce((at, name) => (at as Input | undefined)?.[name], answer);
}

async function main(): Promise<number> {
  const asked = parsed(process.argv.slice(2));
  try {
    const answer = picked(await answered(asked), asked.globals.query);
    const isNothing = typeof answer === "object" && answer !== null && Object.keys(answer).length === 0;
    if (isNothing) return 0;
    console.log(asked.globals.output === "text" ? String(answer) : JSON.stringify(answer, null, 4));
    return 0;
  } catch (error) {
    if (!(error instanceof ec2.EC2ServiceException)) throw error;
    const operation = asked.name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
    const { name, message } = error;
    console.error(`\nAn error occurred (${name}) when calling the ${operation} operation: ${message}`);
    return 254;
  }
}

process.exitCode = await main();
