/** Consoles: the last 64 KiB, lines of their own, and GetConsoleOutput over the wire where nothing runs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GetConsoleOutputCommand } from "@aws-sdk/client-ec2";
import { Consoles } from "./consoles.ts";
import { startSandbox } from "./testing.ts";
import { makeInstance, makeSubnet, makeVpc } from "./testNetwork.ts";

const text = (consoles: Consoles, id = "i-1") => consoles.of(id).output?.toString();

describe("a console", () => {
  test("keeps what was written last", () => {
    const consoles = new Consoles();
    consoles.write("i-1", "old".repeat(30_000), 1);
    consoles.write("i-1", "new", 2);
    const { output, at } = consoles.of("i-1");
    assert.deepEqual([output?.length, output?.subarray(-6).toString(), at], [65_536, "oldnew", 2]);
  });

  test("a line begins a line", () => {
    const consoles = new Consoles();
    consoles.writeLine("i-1", "one", 1);
    consoles.write("i-1", "two", 2);
    consoles.writeLine("i-1", "three", 3);
    assert.equal(text(consoles), "one\ntwo\nthree\n");
  });

  test("is forgotten with its instance", () => {
    const consoles = new Consoles();
    for (const id of ["i-1", "i-2"]) consoles.writeLine(id, id, 1);
    consoles.keep((id) => id === "i-2");
    assert.deepEqual([text(consoles), text(consoles, "i-2")], [undefined, "i-2\n"]);
  });
});

test("GetConsoleOutput says why nothing runs, and knows its instances alone", async () => {
  const sandbox = await startSandbox();
  try {
    const client = sandbox.client("111111111111", "eu-west-1");
    const InstanceId = await makeInstance(client, await makeSubnet(client, await makeVpc(client)));
    const { Output = "", ...rest } = await client.send(new GetConsoleOutputCommand({ InstanceId }));
    assert.match(Buffer.from(Output, "base64").toString(), /carries no packets/);
    assert.deepEqual([rest.InstanceId, rest.Timestamp?.getTime()], [InstanceId, sandbox.clock.now()]);
    const another = { InstanceId: "i-0123456789abcdef0" };
    await assert.rejects(client.send(new GetConsoleOutputCommand(another)), {
      name: "InvalidInstanceID.NotFound",
    });
    const stranger = sandbox.client("222222222222", "eu-west-1");
    await assert.rejects(stranger.send(new GetConsoleOutputCommand({ InstanceId })), {
      name: "InvalidInstanceID.NotFound",
    });
  } finally {
    await sandbox.close();
  }
});
