/**
 * A host over the end of its sandbox: it boots again from the state, and leaves nothing. Skipped where the machine
 * does not let packets obey the state.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type EC2Client, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { settings } from "../settings.ts";
import { DrivenClock, startSandbox, type TestSandbox } from "../testing.ts";
import { makeSubnet, makeVpc } from "../testNetwork.ts";
import { consoleOf, gone, turn } from "./testing/consoles.ts";

const REGION = "eu-west-1";
const { instancePendingMs } = settings("quick");
const clock = new DrivenClock();
const probe = await startSandbox({ packets: true, clock });
const status = probe.dataPlane?.status();
const skip = status?.status === "on" ? false : `no packets on this machine: ${status?.why}`;
await probe.close();

test("after a restart from its state a host boots again; after a close nothing is left", {
  timeout: 60_000,
  skip,
}, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "hosts-"));
  const listening = () =>
    process.getActiveResourcesInfo().filter((one) => /^(UDPWrap|TCPServerWrap)$/.test(one)).length;
  const listeningBefore = listening();
  const boot = async (own: (on: TestSandbox, client: EC2Client) => Promise<string>) => {
    const on = await startSandbox({ packets: true, dataDir, clock });
    try {
      const client = on.client("111111111111", REGION);
      const id = await own(on, client);
      const text = await consoleOf(client, id, /has ended/);
      const pid = on.dataPlane?.entry(id)[2];
      return { id, text, pid };
    } finally {
      await on.close();
    }
  };
  try {
    const first = await boot(async (on, client) => {
      const subnet = await makeSubnet(client, await makeVpc(client));
      const UserData = Buffer.from("#!/bin/sh\necho booted\nsleep 1000000 &\n").toString("base64");
      const { Instances } = await client.send(
        new RunInstancesCommand({
          ImageId: "ami-12345678",
          MinCount: 1,
          MaxCount: 1,
          SubnetId: subnet,
          UserData,
        }),
      );
      on.clock.advance(instancePendingMs);
      return Instances?.[0]?.InstanceId ?? "";
    });
    const second = await boot(async () => first.id);
    for (const { text } of [first, second]) assert.equal(text.match(/^booted$/gm)?.length, 1);
    for (const { pid } of [first, second]) await gone(pid);
    // A socket is gone a turn after it was closed; one that was not never is.
    while (listening() > listeningBefore) await turn();
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});
