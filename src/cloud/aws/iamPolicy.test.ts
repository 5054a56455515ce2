import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

const docs = new URL("../../../docs/", import.meta.url);
const policies = ["iam-policy.json", "iam-policy-connectors.json"].map(
  (name): { readonly Statement: readonly Statement[] } =>
    JSON.parse(readFileSync(new URL(name, docs), "utf8")),
);
const statements = policies.flatMap(({ Statement }) => Statement);
const code = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
  .map((name) => readFileSync(new URL(name, import.meta.url), "utf8"));

/** The actions a file can call: commands and paginators it imports from a service's client. */
function calledIn(text: string): string[] {
  const imports = [...text.matchAll(/import\s*\{([^}]*)\}\s*from\s*"@aws-sdk\/client-([\w-]+)"/g)];
  return imports.flatMap(([, names = "", service = ""]) =>
    [...names.matchAll(/\bpaginate(\w+)|\b(\w+)Command\b/g)].map(([, paged, sent = ""]) =>
      actionOf(`${service.replaceAll("-", "")}:${paged ?? sent}`),
    ),
  );
}

/** Mostly an action is called as its call is. */
function actionOf(call: string): string {
  return call === "lambda:Invoke" ? "lambda:InvokeFunction" : call;
}

/** What AWS asks for beside the calls: tags that travel in creates, and that come with a function; a role given away. */
const BESIDE = new Set([
  "ec2:CreateTags",
  "kafka:TagResource",
  "lambda:TagResource",
  "lambda:ListTags",
  "iam:PassRole",
]);

/**
 * Topic operations need rights of the cluster's own service:
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-topic-operations-information.html
 */
const INSTEAD: Readonly<Record<string, readonly string[]>> = {
  "kafka:CreateTopic": ["Connect", "CreateTopic"],
  "kafka:DescribeTopic": ["Connect", "DescribeTopic", "DescribeTopicDynamicConfiguration"],
  "kafka:UpdateTopic": ["Connect", "DescribeTopic", "AlterTopic", "AlterTopicDynamicConfiguration"],
};

function rightsFor(call: string): readonly string[] {
  return INSTEAD[call]?.map((right) => `kafka-cluster:${right}`) ?? [call];
}

function actions(statement: Statement): string[] {
  return [statement.Action].flat();
}

const called = [...new Set(code.flatMap(calledIn).flatMap(rightsFor))].sort();
const allowed = [...new Set(statements.flatMap(actions))].sort();
const sentWithTags = [
  "CreateVpc",
  "CreateSubnet",
  "CreateInternetGateway",
  "AllocateAddress",
  "CreateNatGateway",
  "CreateRouteTable",
  "CreateVpcEndpoint",
  "CreateSecurityGroup",
  "AuthorizeSecurityGroupIngress",
  "AuthorizeSecurityGroupEgress",
];

describe("docs/iam-policy.json and docs/iam-policy-connectors.json", () => {
  test("allows what the hands call, and nothing else", () => {
    assert.deepEqual(
      allowed.filter((action) => !BESIDE.has(action)),
      called,
    );
    assert.ok(called.length > 40);
  });

  test("lets nothing be made or tagged without our tag", () => {
    const making = statements.filter((one) => ["MakeWithOurTag", "TagWhileMaking"].includes(one.Sid));
    assert.equal(making.length, 2);
    for (const { Condition } of making)
      assert.equal(Condition?.StringEquals?.["aws:RequestTag/letsdata:installation"], "INSTALLATION");
    const tagging = making.find((one) => one.Sid === "TagWhileMaking");
    assert.deepEqual(tagging?.Condition?.StringEquals?.["ec2:CreateAction"], sentWithTags);
  });

  test("puts a condition on everything but looking", () => {
    const open = statements.filter((one) => one.Condition === undefined).map((one) => one.Sid);
    assert.deepEqual(open, ["Look", "LookAtConnectors"]);
  });

  test("gives one role away, and to Lambda alone", () => {
    const give = statements.find((one) => one.Sid === "GiveProbesTheirRole");
    assert.equal(give?.Resource, "arn:aws:iam::PLATFORM_ACCOUNT:role/FUNCTION_ROLE");
    assert.equal(give?.Condition?.StringEquals?.["iam:PassedToService"], "lambda.amazonaws.com");
  });

  test("accepts peerings of named accounts only", () => {
    const accept = statements.find((one) => one.Sid === "AcceptPeeringOfKnownAccounts");
    assert.deepEqual(accept?.Condition?.ArnLike?.["ec2:RequesterVpc"], [
      "arn:aws:ec2:*:CUSTOMER_ACCOUNT:vpc/*",
    ]);
  });

  test("has every statement explained", () => {
    const text = readFileSync(new URL("iam-policy.md", docs), "utf8");
    for (const { Sid, Effect } of statements) {
      assert.equal(Effect, "Allow");
      assert.ok(text.includes(`| \`${Sid}\` |`), Sid);
    }
  });

  test("fits into a managed policy: 6,144 characters without white space", () => {
    for (const policy of policies) assert.ok(JSON.stringify(policy).length < 6_144);
  });
});
