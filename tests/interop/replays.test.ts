/**
 * What Terraform and Ansible ask of EC2, asked of the sandbox again, request by request: see `recorded/*.json`,
 * each of which says where it comes from, and record.ts, which makes them.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import {
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeVpcsCommand,
} from "@aws-sdk/client-ec2";
import { DrivenClock, startSandbox, type TestSandbox } from "../../src/sandbox/testing.ts";
import { ROOT } from "../sources.ts";
import { type Recorded, type Recording, Replay } from "./replay.ts";

/** What somebody made and nobody took away; a deleted NAT gateway stays visible for an hour. */
async function left({ client }: TestSandbox, account: string): Promise<unknown[]> {
  const ec2 = client(account, "us-east-1");
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({}));
  const { NatGateways = [] } = await ec2.send(new DescribeNatGatewaysCommand({}));
  const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
  const { InternetGateways = [] } = await ec2.send(new DescribeInternetGatewaysCommand({}));
  const defaultVpc = Vpcs.find(({ IsDefault }) => IsDefault)?.VpcId;
  return [
    ...Vpcs.filter(({ VpcId }) => VpcId !== defaultVpc),
    ...NatGateways.filter(({ State }) => State !== "deleted"),
    ...Addresses,
    ...InternetGateways.filter(({ Attachments }) => Attachments?.[0]?.VpcId !== defaultVpc),
  ];
}

function accountsOf({ phases }: Recording): Set<string> {
  return new Set(phases.flatMap(({ requests }) => requests.map(({ account }) => account)));
}

const FOLDER = join(ROOT, "tests/interop/recorded");

for (const file of readdirSync(FOLDER))
  describe(basename(file, ".json"), () => {
    const recording = JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Recording;

    test("is replayed to its end, and nothing is left", async (t) => {
      t.diagnostic(recording.origin);
      const complaints: string[] = [];
      const clock = new DrivenClock(Date.now());
      const sandbox = await startSandbox({ clock, log: (line) => void complaints.push(line) });
      try {
        const replay = new Replay({ endpoint: sandbox.url, clock });
        for (const { name, requests } of recording.phases)
          for (const [index, request] of requests.entries())
            await replay.send(request).catch((thrown: Error) => {
              throw new Error(`${name}, request ${index + 1} of ${requests.length}: ${thrown.message}`);
            });
        assert.deepEqual(complaints, []);
        for (const account of accountsOf(recording)) assert.deepEqual(await left(sandbox, account), []);
      } finally {
        await sandbox.close();
      }
    });
  });

describe("the replay itself", () => {
  const asked: Recorded = {
    account: "999999999999",
    action: "CreateVpc",
    parameters: { CidrBlock: "10.0.0.0/16" },
  };
  const VPC = 'vpc: vpcId="{vpc 1}" state="pending"';
  const ended = async (...requests: Recorded[]): Promise<string | null> => {
    const clock = new DrivenClock(Date.now());
    const sandbox = await startSandbox({ clock });
    const replay = new Replay({ endpoint: sandbox.url, clock });
    try {
      for (const request of requests) await replay.send(request);
      return null;
    } catch (thrown) {
      return (thrown as Error).message;
    } finally {
      await sandbox.close();
    }
  };
  const shown = (line: string): Recorded => ({
    account: "999999999999",
    action: "DescribeVpcs",
    parameters: { "VpcId.1": "{vpc 1}" },
    shows: [line],
  });

  test("goes on where the answer says what was recorded, or more", async () => {
    const line = 'vpcSet/item({vpc 1}): cidrBlock="10.0.0.0/16" state="available"';
    assert.equal(await ended({ ...asked, shows: [VPC] }, shown(line)), null);
  });

  test("ends where a value, a place or an id is another", async () => {
    for (const line of [
      'vpcSet/item({vpc 1}): cidrBlock="10.1.0.0/16"',
      'vpcSet/item({vpc 1})/elsewhere: cidrBlock="10.0.0.0/16"',
      'vpcSet/item({vpc 2}): cidrBlock="10.0.0.0/16"',
    ])
      assert.match((await ended({ ...asked, shows: [VPC] }, shown(line))) ?? "", /not answered/);
  });

  test("ends where an error is recorded and none comes, and the other way round", async () => {
    assert.match((await ended({ ...asked, code: "VpcLimitExceeded" })) ?? "", /no error/);
    const wrong = { ...asked, parameters: { CidrBlock: "10.0.0.0/8" } };
    assert.match((await ended({ ...wrong })) ?? "", /InvalidVpc.Range/);
    assert.equal(await ended({ ...wrong, code: "InvalidVpc.Range" }), null);
  });

  test("ends where a thing has no id yet", async () => {
    assert.match((await ended(shown("answer:"))) ?? "", /has no id yet/);
  });
});
