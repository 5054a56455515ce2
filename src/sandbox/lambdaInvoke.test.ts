/** Invoking over the wire: names, states, limits, what is refused, events nobody waits for, and faults. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  ResourceConflictException,
  ResourceNotFoundException,
  TooManyRequestsException,
} from "@aws-sdk/client-lambda";
import { INTERFACE_PENDING, OWNER, REGION } from "./testing/functions.ts";
import { Invocations } from "./testing/invocations.ts";

describe("invoking", () => {
  let it: Invocations;
  before(async () => {
    it = await Invocations.start();
  });
  after(() => it.close());

  test("answers with what the handler returns, and keeps its module between invocations", async () => {
    const name = await it.active("let n = 0; exports.handler = async (event) => ({ ...event, n: ++n });");
    assert.deepEqual(await it.invoke(name, { a: "ä" }), {
      ...{ status: 200, error: undefined, version: "$LATEST", log: "" },
      value: { a: "ä", n: 1 },
    });
    assert.deepEqual((await it.invoke(name, [])).value, { n: 2 });
    assert.deepEqual((await it.invoke(name)).value, { n: 3 });
  });

  test("takes the function's names and ARN, and no version but $LATEST", async () => {
    const name = await it.active("exports.handler = async (_, context) => context.invokedFunctionArn;");
    const arn = `arn:aws:lambda:${REGION}:${OWNER}:function:${name}`;
    for (const one of [name, arn, `${OWNER}:function:${name}`])
      assert.equal((await it.invoke(one)).value, arn);
    assert.equal((await it.invoke(`${arn}:$LATEST`)).value, `${arn}:$LATEST`);
    assert.equal((await it.invoke(name, {}, { Qualifier: "$LATEST" })).value, `${arn}:$LATEST`);
    await assert.rejects(it.invoke(name, {}, { Qualifier: "1" }), ResourceNotFoundException);
    await assert.rejects(it.invoke("nobody"), ResourceNotFoundException);
    const stranger = it.functions.sandbox.of(LambdaClient, "222222222222", REGION);
    await assert.rejects(stranger.send(new InvokeCommand({ FunctionName: arn })), ResourceNotFoundException);
  });

  describe("without waiting", () => {
    test("an event is accepted with 202, and the function runs", async () => {
      const name = await it.active("exports.handler = async (event) => console.log('got', event.a);");
      const { status, value, version } = await it.invoke(name, { a: 7 }, { InvocationType: "Event" });
      assert.deepEqual([status, value, version], [202, undefined, undefined]);
      await it.written(name, "got 7");
    });

    test("one that fails is tried again after one and two minutes, with the same id", async () => {
      const name = await it.active(
        "let n = 0; exports.handler = async () => { console.log('try', ++n); throw new Error('x'); };",
      );
      await it.invoke(name, {}, { InvocationType: "Event" });
      const reports = async (count: number) => {
        while ((await it.linesOf(name)).filter((line) => line.startsWith("REPORT")).length < count);
        while ((await it.environments(name)).some(({ state }) => state === "busy"));
      };
      for (const [at, wait] of [60_000, 120_000, 600_000].entries()) {
        await reports(at + 1);
        it.advance(wait - 1);
        assert.equal((await it.linesOf(name)).filter((line) => line.startsWith("REPORT")).length, at + 1);
        it.advance(1);
      }
      const ids = (await it.linesOf(name)).flatMap((line) => /START RequestId: (\S+)/.exec(line)?.[1] ?? []);
      assert.deepEqual([ids.length, new Set(ids).size], [3, 1]);
    });

    test("a dry run says that it could be", async () => {
      const name = await it.active("exports.handler = async () => console.log('never');");
      assert.deepEqual((await it.invoke(name, {}, { InvocationType: "DryRun" })).status, 204);
      assert.deepEqual([await it.linesOf(name), await it.environments(name)], [[], []]);
    });
  });

  describe("refused", () => {
    test("what is no JSON, and what is too large", async () => {
      const name = await it.active("exports.handler = async () => 1;");
      const bytes = (length: number) => Buffer.from(JSON.stringify("x".repeat(length - 2)));
      const send = (Payload: Uint8Array, InvocationType: "Event" | "RequestResponse" = "RequestResponse") =>
        it.client.send(new InvokeCommand({ FunctionName: name, Payload, InvocationType }));
      await assert.rejects(send(Buffer.from("{")), { name: "InvalidRequestContentException" });
      assert.equal((await send(bytes(6 * 1024 * 1024))).StatusCode, 200);
      await assert.rejects(
        send(bytes(6 * 1024 * 1024 + 1)),
        (error: Error & { $metadata: { httpStatusCode: number } }) => {
          assert.equal(error.$metadata.httpStatusCode, 413);
          assert.equal(
            error.message,
            "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
          );
          return true;
        },
      );
      assert.equal((await send(bytes(1024 * 1024), "Event")).StatusCode, 202);
      await assert.rejects(
        send(bytes(1024 * 1024 + 1), "Event"),
        /1048577 byte payload is too large for the Event invocation type/,
      );
      // The event runs, and counts.
      await it.written(name, "REPORT", 2);
    });

    test("types that there are not, tenants, and a context that is no JSON", async () => {
      const name = await it.active("exports.handler = async () => 1;");
      const cases: [Partial<InvokeCommandInput>, string][] = [
        [{ InvocationType: "Later" as never }, "ValidationException"],
        [{ LogType: "All" as never }, "ValidationException"],
        [{ TenantId: "blue" }, "InvalidParameterValueException"],
        [{ ClientContext: Buffer.from("{").toString("base64") }, "InvalidRequestContentException"],
      ];
      for (const [more, code] of cases) await assert.rejects(it.invoke(name, {}, more), { name: code });
    });

    test("one that is not there yet, or failed to be, by its reason", async () => {
      await it.functions.make("young");
      await assert.rejects(it.invoke("young"), (error) => {
        assert.ok(error instanceof ResourceConflictException);
        assert.match(error.message, /The function is currently in the following state: Pending$/);
        return true;
      });
      const reasons = {
        EniLimitExceeded: "ENILimitReachedException",
        SubnetOutOfIPAddresses: "SubnetIPAddressLimitReachedException",
        InternalError: "ResourceConflictException",
      };
      for (const [reason, code] of Object.entries(reasons)) {
        await it.own("PATCH settings", { lambdaFailure: reason });
        await it.functions.make(reason);
        it.advance(INTERFACE_PENDING);
        await assert.rejects(it.invoke(reason), { name: code });
      }
      await it.own("PATCH settings", { lambdaFailure: "" });
    });

    test("more at one time than the quota", async () => {
      await it.own("PATCH settings", { lambdaConcurrencyQuota: 2 });
      const name = await it.active(
        "exports.handler = async (event) => { if (event.waits) { console.log('waits'); await new Promise((done) => setTimeout(done, 1e6)); } return 1; };",
      );
      const running = [it.invoke(name, { waits: true }), it.invoke(name, { waits: true })];
      while ((await it.linesOf(name)).filter((line) => line.includes("waits")).length < 2);
      await assert.rejects(it.invoke(name, {}), (error) => {
        assert.ok(error instanceof TooManyRequestsException);
        const { message, Reason, $metadata } = error;
        assert.deepEqual(
          [message, Reason, $metadata.httpStatusCode],
          ["Rate Exceeded.", "ConcurrentInvocationLimitExceeded", 429],
        );
        return true;
      });
      it.advance(3_000);
      for (const one of running) assert.equal((await one).error, "Unhandled");
      assert.equal((await it.invoke(name, {})).value, 1);
      await it.own("PATCH settings", { lambdaConcurrencyQuota: 10 });
    });
  });

  describe("faults", () => {
    const invocations = async () => {
      const { value } = await it.own("GET requests");
      const all = value?.requests as {
        operation: string;
        status: number;
        error: string | null;
        fault: string | null;
      }[];
      return all
        .filter(({ operation }) => operation === "Invoke")
        .map(({ status, error, fault }) => ({ status, error, fault }));
    };

    test("before it runs and after, and every one is in the log of requests", async () => {
      const name = await it.active("exports.handler = async () => console.log('ran');");
      await it.own("DELETE requests");
      for (const kind of ["throttle", "error", "dropBefore", "dropAfter"]) {
        await it.own("POST faults", { operation: "Invoke", kind, count: 1 });
        await assert.rejects(it.invoke(name), kind);
      }
      await it.invoke(name);
      const ran = (await it.linesOf(name)).filter((line) => line.endsWith("ran"));
      assert.equal(ran.length, 2);
      assert.deepEqual(await invocations(), [
        { status: 429, error: "TooManyRequestsException", fault: "throttle" },
        { status: 500, error: "ServiceException", fault: "error" },
        { status: 0, error: "ConnectionCut", fault: "dropBefore" },
        { status: 0, error: null, fault: "dropAfter" },
        { status: 200, error: null, fault: null },
      ]);
    });

    test("an answer that is kept back", async () => {
      const name = await it.active("exports.handler = async () => console.log('ran');");
      await it.own("POST faults", {
        operation: "Invoke",
        kind: "delay",
        delayMs: 5_000,
        count: 1,
      });
      let isAnswered = false;
      const late = it.invoke(name).then(() => {
        isAnswered = true;
      });
      await it.written(name, "REPORT");
      assert.equal(isAnswered, false);
      while (!isAnswered) {
        it.advance(5_000);
        await it.own("GET health");
      }
      await late;
    });
  });
});
