/**
 * The operations of Lambda that a probe needs, answered wrongly: too many requests, an error of AWS's own, a connection
 * that is cut before or after the work was done, "not found" for what was just made. A probe comes to its verdict all
 * the same, there is never a second function, and nothing is left. `FULL=1` strikes twenty times in a row.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { LambdaClient, ListFunctionsCommand, UpdateFunctionCodeCommand } from "@aws-sdk/client-lambda";
import { zipped } from "../src/sandbox/testing/functions.ts";
import { fastClock } from "./support/clocks.ts";
import { type House, openHouse, PLATFORM } from "./support/house.ts";
import { activeVpc, reaches } from "./support/networks.ts";

const OPERATIONS = ["CreateFunction", "GetFunction", "Invoke", "UpdateFunctionCode", "DeleteFunction"];
const KINDS = ["throttle", "error", "dropBefore", "dropAfter", "notFound"] as const;
const COUNTS = process.env.FULL === "1" ? [1, 20] : [1];
/** It names no function that could be missing. */
const NAMES_NOTHING = new Set(["CreateFunction"]);

let house: House;
let lambda: LambdaClient;

before(async () => {
  house = await openHouse({ clock: fastClock(20), windowMs: 10_000 });
  const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
  lambda = new LambdaClient({ endpoint: house.sandboxUrl, region: "us-east-1", credentials, maxAttempts: 1 });
});
after(async () => {
  lambda?.destroy();
  await house?.close();
});

/** By operations that no fault hits. */
async function functions(): Promise<readonly string[]> {
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  return Functions.flatMap(({ FunctionName }) => FunctionName ?? []);
}

async function sandbox(what: string, body?: object): Promise<Record<string, unknown>> {
  const [method = "", path = ""] = what.split(" ");
  const init = { method, ...(body && { body: JSON.stringify(body) }) };
  const text = await (await fetch(`${house.sandboxUrl}/_sandbox/${path}`, init)).text();
  return text === "" ? {} : JSON.parse(text);
}

/** What has yet to strike, by operation. */
async function waiting(): Promise<readonly string[]> {
  const { faults } = (await sandbox("GET faults")) as { faults: readonly { operation: string }[] };
  return faults.map(({ operation }) => operation);
}

/** A probe's end; never two functions on the way. */
async function probe(datasetName: string): Promise<void> {
  // It is refused by the function itself: nothing leaves it.
  const target = "127.0.0.1:1";
  const { probeId } = await house.api.call("vpcs.probe", { datasetName, target });
  const ended = await house.until("the probe's end", async () => {
    assert.ok((await functions()).length <= 1);
    const seen = await house.api.call("vpcs.viewProbe", { datasetName, probeId });
    return seen.endedDatetime !== null && seen;
  });
  assert.deepEqual([ended.state, ended.verdict], ["done", "noRoute"], JSON.stringify(ended));
}

/** Somebody puts other code into it; the next version of the product would find it so. */
async function spoil(): Promise<void> {
  const [FunctionName] = await functions();
  const ZipFile = zipped({ "probe.mjs": "export const handler = () => ({});" });
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
}

for (const count of COUNTS)
  describe(`each operation struck, ${count} in a row`, () => {
    for (const kind of KINDS)
      test(kind, async () => {
        const datasetName = `Clicks${kind}${count}`;
        await activeVpc(house, datasetName);
        const struck = OPERATIONS.filter((one) => kind !== "notFound" || !NAMES_NOTHING.has(one));
        const strike = (operation: string) => sandbox("POST faults", { operation, kind, count });
        const late = new Set(["UpdateFunctionCode", "DeleteFunction"]);
        for (const operation of struck.filter((one) => !late.has(one))) await strike(operation);
        await probe(datasetName);
        await spoil();
        await strike("UpdateFunctionCode");
        await probe(datasetName);
        await house.until("the update", async () => !(await waiting()).includes("UpdateFunctionCode"));
        await strike("DeleteFunction");
        await house.api.call("datasets.delete", { datasetName });
        await reaches(house, datasetName, "DELETED");
        assert.deepEqual([await waiting(), await functions()], [[], []]);
      });
  });
