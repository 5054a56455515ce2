/** Execution environments: how long one lives, what ends it, that nothing of it is left; and what it writes. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { ECHO_ZIP, OWNER, PENDING, REGION, zipped } from "../testing/functions.ts";
import { Invocations } from "../testing/invocations.ts";

describe("execution environments", () => {
  let it: Invocations;
  before(async () => {
    it = await Invocations.start();
  });
  after(() => it.close());

  describe("time", () => {
    test("a function that takes too long is ended, and its environment with it", async () => {
      const name = await it.active(
        "let n = 0; exports.handler = async (event) => { n += 1; if (event) { console.log('waits'); await new Promise((done) => setTimeout(done, 1e6)); } return n; };",
      );
      const late = it.invoke(name, true, { LogType: "Tail" });
      await it.written(name, "waits");
      const [{ pid } = { pid: 0 }] = await it.environments(name);
      it.advance(2_999);
      assert.deepEqual(
        (await it.environments(name)).map(({ state }) => state),
        ["busy"],
      );
      it.advance(1);
      const { status, error, value, log } = await late;
      assert.deepEqual(
        [status, error, Object.keys(value)],
        [200, "Unhandled", ["errorType", "errorMessage"]],
      );
      assert.equal(value.errorType, "Sandbox.Timedout");
      assert.match(
        value.errorMessage,
        /^RequestId: [0-9a-f-]{36} Error: Task timed out after 3\.00 seconds$/,
      );
      assert.match(
        log,
        /Z [0-9a-f-]{36} Task timed out after 3\.00 seconds\n\nEND [^\n]*\nREPORT .*Duration: 3000\.00 ms.*Status: timeout/,
      );
      assert.ok(!existsSync(`/proc/${pid}`));
      assert.equal((await it.invoke(name, false)).value, 1);
    });

    test("one that never yields is ended all the same", async () => {
      const name = await it.active("exports.handler = async () => { console.log('spins'); for (;;); };", {
        Timeout: 1,
      });
      const late = it.invoke(name);
      await it.written(name, "spins");
      it.advance(1_000);
      assert.equal((await late).value.errorType, "Sandbox.Timedout");
      assert.deepEqual(await it.environments(name), []);
    });

    test("a warm environment that nobody asks goes", async () => {
      const name = await it.active("exports.handler = async () => 1;");
      await it.invoke(name);
      const [{ pid } = { pid: 0 }] = await it.environments(name);
      assert.ok(existsSync(`/proc/${pid}`));
      it.advance(10 * 60_000);
      while ((await it.environments(name)).length > 0 || existsSync(`/proc/${pid}`));
    });
  });

  test("one that ends while nobody asks it is not shown any more, and replaced", async () => {
    const name = await it.active(
      "let n = 0; exports.handler = async () => { setTimeout(() => process.exit(), 1); return ++n; };",
    );
    assert.equal((await it.invoke(name)).value, 1);
    while ((await it.environments(name)).length > 0) await turn();
    assert.equal((await it.invoke(name)).value, 1);
  });

  test("new code and configuration run in a new environment, and the old one goes", async () => {
    const name = await it.active("let n = 0; exports.handler = async () => ['old', ++n, process.env.WORD];");
    await it.invoke(name);
    const [{ pid: first } = { pid: 0 }] = await it.environments(name);
    const ZipFile = zipped({
      "index.js": "let n = 0; exports.handler = async () => ['new', ++n, process.env.WORD];",
    });
    await it.client.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile }));
    it.advance(PENDING);
    assert.deepEqual((await it.invoke(name)).value, ["new", 1, null]);
    await it.functions.change(name, { Environment: { Variables: { WORD: "b" } } });
    it.advance(PENDING);
    assert.deepEqual((await it.invoke(name)).value, ["new", 1, "b"]);
    while (existsSync(`/proc/${first}`)) await turn();
    assert.equal((await it.environments(name)).length, 1);
  });

  test("deleted, nothing of it runs, what it started neither; who waits hears of it", async () => {
    const name = await it.active(
      "exports.handler = async () => { const child = require('child_process').spawn('sleep', ['1000']); console.log('started %d.', child.pid); await new Promise((done) => setTimeout(done, 1e6)); };",
    );
    const running = it.invoke(name);
    await it.written(name, "started");
    const child = /started (\d+)\./.exec((await it.linesOf(name)).join("\n"))?.[1];
    const [{ pid } = { pid: 0 }] = await it.environments(name);
    await it.functions.remove(name);
    assert.equal((await running).value.errorType, "Runtime.ExitError");
    for (const one of [pid, child]) while (existsSync(`/proc/${one}`)) await turn();
    assert.equal((await it.own(`GET functions/${name}/log`)).status, 404);
  });

  describe("the log", () => {
    test("its tail has Lambda's lines around the function's, and comes when it is asked for", async () => {
      const name = await it.active(
        "exports.handler = async () => { console.log('a %d', 1); console.error({ b: 2 }); process.stdout.write('raw'); };",
      );
      assert.equal((await it.invoke(name)).log, "");
      const { log } = await it.invoke(name, {}, { LogType: "Tail" });
      const id = /START RequestId: ([0-9a-f-]{36})/.exec(log)?.[1];
      const time = "\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z";
      const lines = [
        `START RequestId: ${id} Version: \\$LATEST`,
        `${time}\t${id}\tINFO\ta 1`,
        `${time}\t${id}\tERROR\t\\{ b: 2 \\}`,
        "raw",
        `END RequestId: ${id}`,
        `REPORT RequestId: ${id}\tDuration: 0.00 ms\tBilled Duration: 0 ms\tMemory Size: 128 MB\tMax Memory Used: \\d+ MB\t`,
      ];
      assert.match(log, new RegExp(`^${lines.join("\n")}\n$`));
      const kept = await it.linesOf(name);
      assert.deepEqual(
        kept.slice(-6),
        log
          .trimEnd()
          .split("\n")
          .map((line, at) => (at === 5 ? `${line}\t` : line)),
      );
    });

    test("the tail has 4 KB, whatever was written", async () => {
      const name = await it.active("exports.handler = async () => console.log('ä'.repeat(100000));");
      const { LogResult = "" } = await it.client.send(
        new InvokeCommand({ FunctionName: name, LogType: "Tail" }),
      );
      const tail = Buffer.from(LogResult, "base64");
      assert.equal(tail.length, 4_096);
      assert.match(tail.toString(), /REPORT RequestId/);
    });

    test("of two functions of one name the ARN says which", async () => {
      const name = await it.active("exports.handler = async () => console.log('mine');");
      const stranger = it.functions.sandbox.of(LambdaClient, "222222222222", REGION);
      await stranger.send(
        new CreateFunctionCommand({
          FunctionName: name,
          Role: "arn:aws:iam::222222222222:role/functions",
          Runtime: "nodejs22.x",
          Handler: "index.handler",
          Code: { ZipFile: ECHO_ZIP },
        }),
      );
      await it.invoke(name);
      const { status, value } = await it.own(`GET functions/${name}/log`);
      assert.equal(status, 409);
      assert.match(String(value?.message), /arn:aws:lambda:.* or arn:aws:lambda/);
      const arn = encodeURIComponent(`arn:aws:lambda:${REGION}:${OWNER}:function:${name}`);
      assert.match((await it.linesOf(arn)).join("\n"), /mine/);
    });
  });
});
