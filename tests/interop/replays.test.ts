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
import { type Recording, Replay } from "./replay.ts";

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
