/**
 * The `aws` command line against the sandbox's MSK and Lambda, as people would type: a cluster made, waited for,
 * looked at and deleted; a function made, invoked, put into a VPC, taken out again and deleted.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { strToU8, zipSync } from "fflate";
import { type Typist, type Walks, walk } from "./awsCli.ts";
import { PLATFORM } from "./sandbox.ts";

/** A VPC with a subnet in each of three zones that MSK has, and a group. */
async function network(aws: Typist): Promise<{ subnets: string[]; groupId: string }> {
  const { Vpc } = await aws.type<{ Vpc: { VpcId: string } }>("ec2 create-vpc --cidr-block 10.70.0.0/16");
  const of = `--vpc-id ${Vpc.VpcId}`;
  const subnets: string[] = [];
  for (const [at, zone] of ["a", "b", "d"].entries()) {
    const where = `--cidr-block 10.70.${at}.0/24 --availability-zone us-east-1${zone}`;
    const made = await aws.type<{ Subnet: { SubnetId: string } }>(`ec2 create-subnet ${of} ${where}`);
    subnets.push(made.Subnet.SubnetId);
  }
  const group = await aws.type<{ GroupId: string }>(
    `ec2 create-security-group ${of} --group-name cluster --description cluster`,
  );
  return { subnets, groupId: group.GroupId };
}

/** Asks again until the answer is `wanted`: there is no waiter for clusters. */
async function until(wanted: string, ask: () => Promise<string>): Promise<void> {
  for (let asked = 0; asked < 100; asked++) {
    if ((await ask()) === wanted) return;
    await setTimeout(200);
  }
  assert.fail(`it did not become ${wanted}`);
}

const HANDLER = `exports.handler = async ({ fails, name }) => {
  console.log("hello", name);
  if (fails) throw new RangeError("no such name");
  return { hello: name };
};`;

interface Invoked {
  readonly StatusCode: number;
  readonly FunctionError?: string;
  readonly ExecutedVersion?: string;
  readonly LogResult?: string;
}

/** The function `probe`: for its answer, its error, its log, and without waiting. `answer` is a file to be written. */
async function invoke(aws: Typist, answer: string): Promise<void> {
  const line = "lambda invoke --function-name probe";
  // Version 2 of the command line would take the payload for base 64.
  const event = (value: object) => `fileb://${written(answer, value)}`;
  const said = await aws.type<Invoked>(`${line} --log-type Tail --payload`, [event({ name: "ä" }), answer]);
  assert.deepEqual([said.StatusCode, said.FunctionError, said.ExecutedVersion], [200, undefined, "$LATEST"]);
  assert.deepEqual(JSON.parse(readFileSync(answer, "utf8")), { hello: "ä" });
  assert.match(Buffer.from(said.LogResult ?? "", "base64").toString(), /INFO\thello ä\n(.*\n)*REPORT /);
  const failed = await aws.type<Invoked>(`${line} --payload`, [event({ fails: true }), answer]);
  assert.deepEqual([failed.StatusCode, failed.FunctionError], [200, "Unhandled"]);
  const { errorType, errorMessage } = JSON.parse(readFileSync(answer, "utf8"));
  assert.deepEqual([errorType, errorMessage], ["RangeError", "no such name"]);
  const types = { Event: 202, DryRun: 204 };
  for (const [type, status] of Object.entries(types))
    assert.equal((await aws.type<Invoked>(`${line} --invocation-type ${type} ${answer}`)).StatusCode, status);
  await aws.refused("ResourceNotFoundException", `lambda invoke --function-name other ${answer}`);
  await aws.refused("ResourceNotFoundException", `${line} --qualifier 1 ${answer}`);
}

/** A file beside that one with the value in it. */
function written(beside: string, value: object): string {
  writeFileSync(`${beside}.event`, JSON.stringify(value));
  return `${beside}.event`;
}

/** Made, grown, shown, listed and deleted. */
async function topics(aws: Typist, arn: string): Promise<void> {
  const named = `${arn} --topic-name events`;
  const create = `kafka create-topic ${named} --partition-count 3 --replication-factor 3`;
  const made = await aws.type<{ TopicArn: string; Status: string }>(create);
  assert.match(made.TopicArn, /^arn:aws:kafka:us-east-1:\d{12}:topic\/clicks\/[^/]+\/events$/);
  const status = () => aws.type<string>(`kafka describe-topic ${named} --query Status`);
  await until("ACTIVE", status);
  await aws.refused("TopicExistsException", create);
  await aws.type(`kafka update-topic ${named} --partition-count 5`);
  await until("ACTIVE", status);
  const leaders = await aws.type<number[]>(
    `kafka describe-topic-partitions ${named} --page-size 2 --query Partitions[].Leader`,
  );
  assert.deepEqual(leaders, [1, 2, 3, 1, 2]);
  await aws.refused("BadRequestException", `kafka update-topic ${named} --partition-count 2`);
  const listed = await aws.type(`kafka list-topics ${arn} --query Topics[].PartitionCount`);
  assert.deepEqual(listed, [5]);
  await aws.type(`kafka delete-topic ${named}`);
  for (let asked = 0; (await aws.run(`kafka describe-topic ${named}`)).code === 0; asked++) {
    assert.ok(asked < 100, "it is still there");
    await setTimeout(200);
  }
}

const WALKS: Walks = {
  async "a cluster"(aws) {
    const { subnets, groupId } = await network(aws);
    const provisioned = {
      BrokerNodeGroupInfo: {
        InstanceType: "kafka.m7g.large",
        ClientSubnets: subnets,
        SecurityGroups: [groupId],
        StorageInfo: { EbsStorageInfo: { VolumeSize: 100 } },
      },
      KafkaVersion: "3.9.x.kraft",
      NumberOfBrokerNodes: 3,
      ClientAuthentication: { Sasl: { Scram: { Enabled: true }, Iam: { Enabled: true } } },
    };
    const made = await aws.type<{ ClusterArn: string; State: string }>(
      "kafka create-cluster-v2 --cluster-name clicks --tags team=blue --provisioned",
      [JSON.stringify(provisioned)],
    );
    assert.equal(made.State, "CREATING");
    const arn = `--cluster-arn ${made.ClusterArn}`;
    const state = () => aws.type<string>(`kafka describe-cluster-v2 ${arn} --query ClusterInfo.State`);
    await until("ACTIVE", state);
    const flat = await aws.type<{ ClusterInfo: { CreationTime: string; Tags: object } }>(
      `kafka describe-cluster ${arn}`,
    );
    assert.match(flat.ClusterInfo.CreationTime, /^20\d\d-/);
    assert.deepEqual(flat.ClusterInfo.Tags, { team: "blue" });
    const brokers = await aws.type<Record<string, string>>(`kafka get-bootstrap-brokers ${arn}`);
    assert.deepEqual(Object.keys(brokers).sort(), [
      "BootstrapBrokerStringSaslIam",
      "BootstrapBrokerStringSaslScram",
    ]);
    const faces = await aws.type<string[]>(
      `kafka list-nodes ${arn} --query NodeInfoList[].BrokerNodeInfo.AttachedENIId`,
    );
    const query = "NetworkInterfaces[].Status";
    const statuses = await aws.type<string[]>(
      `ec2 describe-network-interfaces --query ${query} --network-interface-ids ${faces.join(" ")}`,
    );
    assert.deepEqual(statuses, ["in-use", "in-use", "in-use"]);
    const names = "ClusterInfoList[].ClusterName";
    const listed = await aws.type(`kafka list-clusters-v2 --cluster-name-filter cl --query ${names}`);
    assert.deepEqual(listed, ["clicks"]);
    await aws.type(`kafka tag-resource --resource-arn ${made.ClusterArn} --tags`, ["kind=a b"]);
    const { Tags } = await aws.type<{ Tags: object }>(
      `kafka list-tags-for-resource --resource-arn ${made.ClusterArn}`,
    );
    assert.deepEqual(Tags, { team: "blue", kind: "a b" });
    const { CompatibleKafkaVersions } = await aws.type<{ CompatibleKafkaVersions: unknown[] }>(
      `kafka get-compatible-kafka-versions ${arn}`,
    );
    assert.equal(CompatibleKafkaVersions.length, 1);
    await topics(aws, arn);
    await aws.type(`kafka delete-cluster ${arn}`);
    for (let asked = 0; (await aws.run(`kafka describe-cluster-v2 ${arn}`)).code === 0; asked++) {
      assert.ok(asked < 100, "it is still there");
      await setTimeout(200);
    }
    await aws.refused("NotFoundException", `kafka describe-cluster-v2 ${arn}`);
  },

  async "clusters in pages, and errors"(aws) {
    const { subnets } = await network(aws);
    const nodes = { InstanceType: "kafka.t3.small", ClientSubnets: subnets };
    const create = (name: string, version = "3.9.x.kraft") =>
      `kafka create-cluster --cluster-name ${name} --kafka-version ${version} --number-of-broker-nodes 3 --broker-node-group-info ${JSON.stringify(nodes)}`;
    for (const name of ["a", "b", "c"]) await aws.type(create(name));
    const all = await aws.type<unknown[]>("kafka list-clusters --page-size 2 --query ClusterInfoList[]");
    assert.equal(all.length, 3);
    await aws.refused("ConflictException", create("a"));
    await aws.refused("BadRequestException", create("d", "1.1.1"));
    await aws.refused(
      "NotFoundException",
      `kafka list-nodes --cluster-arn arn:aws:kafka:us-east-1:${PLATFORM}:cluster/x/y-1`,
    );
    await aws.refused("InvalidSignatureException", "kafka list-clusters", { secret: "wrong" });
    await aws.refused("UnknownOperationException", "kafka list-configurations");
  },

  async "a function"(aws) {
    const { subnets, groupId } = await network(aws);
    const folder = mkdtempSync(join(tmpdir(), "function-"));
    const zip = join(folder, "code.zip");
    writeFileSync(zip, zipSync({ "index.js": strToU8(HANDLER) }));
    try {
      const role = `--role arn:aws:iam::${PLATFORM}:role/functions`;
      const code = `--runtime nodejs22.x --handler index.handler --zip-file fileb://${zip}`;
      const create = `lambda create-function --function-name probe ${role} ${code}`;
      const made = await aws.type<{ FunctionArn: string; State: string }>(`${create} --tags team=blue`);
      assert.equal(made.State, "Pending");
      const named = "--function-name probe";
      await aws.type(`lambda wait function-active-v2 ${named}`);
      await aws.refused("ResourceConflictException", create);
      await invoke(aws, join(folder, "answer.json"));
      const network = `SubnetIds=${subnets.join(",")},SecurityGroupIds=${groupId}`;
      await aws.type(`lambda update-function-configuration ${named} --vpc-config ${network}`);
      await aws.type(`lambda wait function-updated ${named}`);
      const faces =
        "ec2 describe-network-interfaces --query NetworkInterfaces[].NetworkInterfaceId --filters";
      const own = ["Name=description,Values=AWS Lambda VPC ENI-probe-*"];
      assert.equal((await aws.type<string[]>(faces, own)).length, 3);
      await aws.type(`lambda update-function-code ${named} --zip-file fileb://${zip}`);
      await aws.type(`lambda wait function-updated ${named}`);
      await aws.type(`lambda update-function-configuration ${named} --vpc-config`, [
        "SubnetIds=[],SecurityGroupIds=[]",
      ]);
      await aws.type(`lambda wait function-updated ${named}`);
      const got = await aws.type<{ Configuration: { FunctionArn: string }; Tags: object }>(
        `lambda get-function --function-name ${made.FunctionArn}`,
      );
      assert.deepEqual([got.Configuration.FunctionArn, got.Tags], [made.FunctionArn, { team: "blue" }]);
      await aws.type(`lambda untag-resource --resource ${made.FunctionArn} --tag-keys team`);
      const { Tags } = await aws.type<{ Tags: object }>(`lambda list-tags --resource ${made.FunctionArn}`);
      assert.deepEqual(Tags, {});
      const functions = await aws.type<string[]>("lambda list-functions --query Functions[].FunctionName");
      assert.deepEqual(functions, ["probe"]);
      await aws.type(`lambda delete-function ${named}`);
      await aws.refused("ResourceNotFoundException", `lambda get-function ${named}`);
      await until("0", async () => String((await aws.type<string[]>(faces, own)).length));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

await walk("the aws command line against the sandbox's MSK and Lambda", WALKS);
