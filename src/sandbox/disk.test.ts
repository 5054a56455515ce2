/** The data folder: what is kept over a restart, what a crash leaves, who may open it. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, test } from "node:test";
import { CreateVpcCommand, DescribeVpcsCommand, type EC2Client } from "@aws-sdk/client-ec2";
import { CreateClusterV2Command, DescribeClusterV2Command, KafkaClient } from "@aws-sdk/client-kafka";
import { CreateFunctionCommand, GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import fc from "fast-check";
import { openDisk } from "./disk.ts";
import { type Row, Table } from "./state.ts";
import { CREATING } from "./testing/clusters.ts";
import { ECHO_ZIP, ROLE } from "./testing/functions.ts";
import { startSandbox } from "./testing.ts";
import { makeVpc, makeZonedSubnets } from "./testNetwork.ts";

const A = "111111111111";

function row(id: string, region = "us-east-1", at = 0): Row {
  return { id, account: A, region, at, tags: [] };
}

describe("the data folder", () => {
  let dataDir = "";
  beforeEach(() => {
    dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "sandbox-"));
  });
  afterEach(() => fs.rmSync(dataDir, { recursive: true }));

  async function vpcs(client: EC2Client) {
    const { Vpcs = [] } = await client.send(new DescribeVpcsCommand({}));
    return Vpcs;
  }

  test("a restart finds everything as it was", async () => {
    const first = await startSandbox({ dataDir });
    const tags = [{ ResourceType: "vpc" as const, Tags: [{ Key: "Name", Value: "a\r\n&<é>" }] }];
    const create = new CreateVpcCommand({ CidrBlock: "10.4.0.0/16", TagSpecifications: tags });
    await first.client(A, "us-east-1").send(create);
    const before = await vpcs(first.client(A, "us-east-1"));
    await first.close();
    const second = await startSandbox({ dataDir });
    try {
      assert.deepEqual(stable(await vpcs(second.client(A, "us-east-1"))), stable(before));
    } finally {
      await second.close();
    }
  });

  test("a restart goes on with a cluster and a function where they were", async () => {
    const first = await startSandbox({ dataDir });
    const ec2 = first.client(A, "eu-west-1");
    const SubnetIds = await makeZonedSubnets(ec2, await makeVpc(ec2));
    const BrokerNodeGroupInfo = { InstanceType: "express.m7g.large", ClientSubnets: SubnetIds };
    const Provisioned = { KafkaVersion: "3.9.x.kraft", NumberOfBrokerNodes: 3, BrokerNodeGroupInfo };
    const { ClusterArn } = await first
      .of(KafkaClient, A, "eu-west-1")
      .send(new CreateClusterV2Command({ ClusterName: "clicks", Provisioned }));
    const code = { Runtime: "nodejs22.x" as const, Handler: "a.b", Code: { ZipFile: ECHO_ZIP } };
    await first
      .of(LambdaClient, A, "eu-west-1")
      .send(new CreateFunctionCommand({ FunctionName: "probe", Role: ROLE, ...code }));
    await first.close();
    const second = await startSandbox({ dataDir, clock: first.clock });
    try {
      second.clock.advance(CREATING);
      const { ClusterInfo } = await second
        .of(KafkaClient, A, "eu-west-1")
        .send(new DescribeClusterV2Command({ ClusterArn }));
      assert.deepEqual([ClusterInfo?.State, ClusterInfo?.Provisioned?.NumberOfBrokerNodes], ["ACTIVE", 3]);
      const { State, CodeSize } = await second
        .of(LambdaClient, A, "eu-west-1")
        .send(new GetFunctionConfigurationCommand({ FunctionName: "probe" }));
      assert.deepEqual([State, CodeSize], ["Active", ECHO_ZIP.length]);
    } finally {
      await second.close();
    }
  });

  test("what was not committed is not there", () => {
    const write = new Table<Row>("things");
    const disk = openDisk([write], dataDir);
    write.put(row("a"));
    write.put(row("b"));
    disk.commit();
    write.delete("a");
    write.put(row("b", "us-east-1", 7));
    write.put(row("c"));
    disk.rollback();
    assert.deepEqual(write.all(), [row("a"), row("b")]);
    write.delete("a");
    disk.commit();
    write.put(row("d"));
    disk.close();
    const read = new Table<Row>("things");
    openDisk([read], dataDir).close();
    assert.deepEqual(read.all(), [row("b")]);
  });

  test("a second process is refused, and let in once the first was killed", async () => {
    const child = fork(new URL("./disk.holder.ts", import.meta.url), [dataDir], { stdio: "ignore" });
    try {
      await once(child, "message");
      assert.throws(() => openDisk([], dataDir), /in use by another process/);
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    const table = new Table<Row>("things");
    const disk = openDisk([table], dataDir);
    // What the killed process had committed survived it.
    assert.deepEqual(table.all(), [row("kept")]);
    disk.close();
  });

  test("a second sandbox in the same process is refused too", async () => {
    const first = await startSandbox({ dataDir });
    try {
      await assert.rejects(startSandbox({ dataDir }), /in use by another process/);
    } finally {
      await first.close();
    }
  });

  test("a folder of a newer version is refused", () => {
    openDisk([], dataDir).close();
    const file = new DatabaseSync(path.join(dataDir, "sandbox.db"));
    file.exec("PRAGMA user_version = 99");
    file.close();
    assert.throws(() => openDisk([], dataDir), /newer version/);
    // The refusal lets go of the folder.
    assert.throws(() => openDisk([], dataDir), /newer version/);
  });
});

/** Equal whatever order the members are in. */
function stable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test("a table is a map that lists each place in order of id, and undoes", () => {
  const ids = fc.constantFrom("a", "b", "c", "d", "e");
  const regions = fc.constantFrom("us-east-1", "us-west-2");
  const step = fc.oneof(
    fc.record({ put: fc.tuple(ids, regions, fc.nat(9)) }),
    fc.record({ remove: ids }),
    fc.record({ end: fc.constantFrom("settle" as const, "undo" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const table = new Table<Row>("things");
      let kept = new Map<string, Row>();
      let now = new Map<string, Row>();
      for (const one of steps) {
        if ("put" in one) now.set(one.put[0], table.put(row(...one.put)));
        else if ("remove" in one) {
          now.delete(one.remove);
          table.delete(one.remove);
        } else {
          table[one.end]();
          if (one.end === "settle") kept = new Map(now);
          else now = new Map(kept);
        }
        const sorted = [...now.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
        assert.deepEqual(table.all(), sorted);
        for (const region of ["us-east-1", "us-west-2"])
          assert.deepEqual(
            table.list({ account: A, region }),
            sorted.filter((each) => each.region === region),
          );
      }
    }),
  );
});
