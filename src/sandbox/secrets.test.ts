import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import * as sdk from "@aws-sdk/client-secrets-manager";
import { startSandbox } from "./testing.ts";

const sandbox = await startSandbox();
after(() => sandbox.close());
const client = sandbox.of(sdk.SecretsManagerClient, "111111111111", "us-east-1");
const stranger = sandbox.of(sdk.SecretsManagerClient, "222222222222", "us-east-1");

describe("secrets", () => {
  test("are made, read by name and by ARN, changed and deleted", async () => {
    const asked = { Name: "AmazonMSK_clicks", SecretString: "one", Tags: [{ Key: "team", Value: "blue" }] };
    const { ARN = "", VersionId } = await client.send(new sdk.CreateSecretCommand(asked));
    assert.match(ARN, /^arn:aws:secretsmanager:us-east-1:111111111111:secret:AmazonMSK_clicks-\w{6}$/);
    for (const SecretId of [ARN, ARN.slice(0, -7), asked.Name]) {
      const read = await client.send(new sdk.GetSecretValueCommand({ SecretId }));
      assert.deepEqual([read.SecretString, read.VersionId], ["one", VersionId]);
    }
    await client.send(new sdk.PutSecretValueCommand({ SecretId: ARN, SecretString: "two" }));
    assert.equal((await client.send(new sdk.GetSecretValueCommand({ SecretId: ARN }))).SecretString, "two");
    const shown = await client.send(new sdk.DescribeSecretCommand({ SecretId: ARN }));
    assert.deepEqual([shown.Name, shown.Tags], [asked.Name, asked.Tags]);
    assert.deepEqual(Object.values(shown.VersionIdsToStages ?? {}), [["AWSCURRENT"]]);
    await client.send(new sdk.DeleteSecretCommand({ SecretId: ARN }));
    await assert.rejects(client.send(new sdk.GetSecretValueCommand({ SecretId: ARN })), {
      name: "ResourceNotFoundException",
    });
  });

  test("are listed page by page, and are their account's alone", async () => {
    for (const Name of ["a", "b", "c"])
      await client.send(new sdk.CreateSecretCommand({ Name, SecretString: Name }));
    const first = await client.send(new sdk.ListSecretsCommand({ MaxResults: 2 }));
    const rest = await client.send(new sdk.ListSecretsCommand({ NextToken: first.NextToken }));
    const names = [...(first.SecretList ?? []), ...(rest.SecretList ?? [])].map(({ Name }) => Name);
    assert.deepEqual([first.SecretList?.length, names], [2, ["a", "b", "c"]]);
    assert.deepEqual((await stranger.send(new sdk.ListSecretsCommand({}))).SecretList, []);
    await assert.rejects(stranger.send(new sdk.GetSecretValueCommand({ SecretId: "a" })), {
      name: "ResourceNotFoundException",
    });
  });

  test("are refused without a text, with a name that cannot be, and twice", async () => {
    const make = (input: sdk.CreateSecretCommandInput) => client.send(new sdk.CreateSecretCommand(input));
    const invalid = { name: "InvalidParameterException" };
    await assert.rejects(make({ Name: "binary", SecretBinary: Buffer.from("x") }), invalid);
    await assert.rejects(make({ Name: "a name", SecretString: "x" }), invalid);
    await assert.rejects(make({ Name: "long", SecretString: "x".repeat(65_537) }), invalid);
    await make({ Name: "once", SecretString: "x" });
    await assert.rejects(make({ Name: "once", SecretString: "y" }), { name: "ResourceExistsException" });
  });
});
