import assert from "node:assert/strict";
import { pbkdf2Sync } from "node:crypto";
import { describe, test } from "node:test";
import { alterScramUsers, scramUsers, servingBrokers } from "./kafkaWire.ts";
import { brokerThatAnswers, bytes, int32, text } from "./testing/oneAnswer.ts";

describe("what the keeper asks of Kafka", () => {
  test("which brokers serve", async () => {
    const broker = (id: number) =>
      Buffer.concat([int32(id), text("10.1.0.4"), int32(9095), text("rack"), bytes(0)]);
    const answer = [
      int32(0),
      bytes(0, 0),
      bytes(0),
      text("cluster"),
      int32(1),
      bytes(3),
      broker(1),
      broker(3),
    ];
    const { socket, asked } = await brokerThatAnswers(Buffer.concat([...answer, int32(0), bytes(0)]));
    assert.deepEqual(await servingBrokers(socket), [1, 3]);
    // Length, key 60, version 0, correlation id, no client id, no tags, false, no tags.
    assert.equal(asked[0]?.toString("hex"), "0000000d003c00000000003cffff000000");
  });

  test("who has a password", async () => {
    const user = Buffer.concat([
      text("clicks"),
      bytes(0, 0),
      bytes(0),
      bytes(2, 2),
      int32(4096),
      bytes(0),
      bytes(0),
    ]);
    const { socket } = await brokerThatAnswers(
      Buffer.concat([int32(0), bytes(0, 0), bytes(0), bytes(2), user, bytes(0)]),
    );
    assert.deepEqual(await scramUsers(socket), ["clicks"]);
  });

  test("to know a password, which is sent salted and is never sent itself", async () => {
    const done = Buffer.concat([
      int32(0),
      bytes(2),
      text("clicks"),
      bytes(0, 0),
      bytes(0),
      bytes(0),
      bytes(0),
    ]);
    const { socket, asked } = await brokerThatAnswers(done);
    await alterScramUsers(socket, { remove: ["old"], set: [{ name: "clicks", password: "sesame" }] });
    const request = asked[0] ?? Buffer.alloc(0);
    assert.ok(request.includes(Buffer.concat([text("old"), bytes(2, 0)])));
    assert.ok(!request.includes("sesame"));
    const at = request.indexOf(text("clicks")) + 7;
    assert.deepEqual([request.readInt8(at), request.readInt32BE(at + 1), request[at + 5]], [2, 4096, 33]);
    const salt = request.subarray(at + 6, at + 38);
    const salted = pbkdf2Sync("sesame", salt, 4096, 64, "sha512");
    assert.ok(request.includes(Buffer.concat([bytes(65), salted])));
  });

  test("says which user Kafka refuses, and why", async () => {
    const refused = [
      int32(0),
      bytes(2),
      text("clicks"),
      bytes(0, 58),
      text("no such mechanism"),
      bytes(0),
      bytes(0),
    ];
    const { socket } = await brokerThatAnswers(Buffer.concat(refused));
    const change = { remove: [], set: [{ name: "clicks", password: "sesame" }] };
    await assert.rejects(alterScramUsers(socket, change), /refuses the user clicks: no such mechanism/);
  });

  test("fails when the broker goes", async () => {
    const { socket } = await brokerThatAnswers(Buffer.alloc(0));
    socket.once("connect", () => socket.end());
    await assert.rejects(servingBrokers(socket));
  });
});
