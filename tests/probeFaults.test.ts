/**
 * The operations of Lambda that a probe needs, answered wrongly: too many requests, an error of AWS's own, a connection
 * that is cut before or after the work was done, "not found" for what was just made. A probe comes to its verdict all
 * the same, or ends with the reason when it could not be tried in time, and does when it is asked for again; there is
 * never a second function, and nothing is left. `FULL=1` strikes twenty times in a row.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type FunctionConfiguration,
  LambdaClient,
  ListFunctionsCommand,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { zipped } from "../src/sandbox/testing/functions.ts";
import { fastClock } from "./support/clocks.ts";
import { administer, requestsSince } from "./support/faultGround.ts";
import { type House, openHouse, PLATFORM } from "./support/house.ts";
import { activeVpc, reaches } from "./support/networks.ts";

const OPERATIONS = ["CreateFunction", "GetFunction", "Invoke", "UpdateFunctionCode", "DeleteFunction"];
const KINDS = ["throttle", "error", "dropBefore", "dropAfter", "notFound"] as const;
const COUNTS = process.env.FULL === "1" ? [1, 20] : [1];
/** By the house's clock: twenty faults with a minute between them, of three operations, are an hour. */
const LONGEST_MS = 2 * 3_600_000;
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
async function functions(): Promise<readonly FunctionConfiguration[]> {
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  return Functions;
}

async function code(): Promise<string | undefined> {
  return (await functions())[0]?.CodeSha256;
}

/** A verdict, asked for again by whoever was told that it could not be tried; never two functions on the way. */
async function probe(datasetName: string): Promise<void> {
  let ended = await probed(datasetName);
  while (ended.state === "failed") {
    assert.match(ended.statusReason ?? "", TROUBLE);
    ended = await probed(datasetName);
  }
  assert.deepEqual([ended.state, ended.verdict], ["done", "noRoute"], JSON.stringify(ended));
}

/** It says what of AWS's it was that kept failing. */
const TROUBLE = /lambda:(CreateFunction|GetFunction|Invoke|UpdateFunctionCode)/;

async function probed(datasetName: string) {
  // It is refused by the function itself: nothing leaves it.
  const target = "127.0.0.1:1";
  const { probeId } = await house.api.call("vpcs.probe", { datasetName, target });
  const end = async () => {
    assert.ok((await functions()).length <= 1);
    const seen = await house.api.call("vpcs.viewProbe", { datasetName, probeId });
    return seen.endedDatetime !== null && seen;
  };
  return house.until("the probe's end", end, LONGEST_MS);
}

/** Somebody puts other code into it; the next version of the product would find it so. */
async function spoil(): Promise<void> {
  const FunctionName = (await functions())[0]?.FunctionName;
  const ZipFile = zipped({ "probe.mjs": "export const handler = () => ({});" });
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
}

/** Of these operations the ones that no fault has hit since. */
async function unhit(operations: readonly string[], since: number): Promise<readonly string[]> {
  const { requests } = await requestsSince(house.sandboxUrl, since);
  const hit = new Set(requests.flatMap(({ operation, fault }) => (fault === null ? [] : [operation])));
  return operations.filter((operation) => !hit.has(operation));
}

for (const count of COUNTS)
  describe(`each operation struck, ${count} in a row`, () => {
    for (const kind of KINDS)
      test(kind, async () => {
        const datasetName = `Clicks${kind}${count}`;
        const { last } = await requestsSince(house.sandboxUrl, 0);
        await activeVpc(house, datasetName);
        const struck = OPERATIONS.filter((one) => kind !== "notFound" || !NAMES_NOTHING.has(one));
        const strike = (operation: string) =>
          administer(house.sandboxUrl, "POST faults", { operation, kind, count });
        const late = new Set(["UpdateFunctionCode", "DeleteFunction"]);
        for (const operation of struck.filter((one) => !late.has(one))) await strike(operation);
        await probe(datasetName);
        const ours = await code();
        await spoil();
        await strike("UpdateFunctionCode");
        await probe(datasetName);
        await house.until("our code again", async () => (await code()) === ours, LONGEST_MS);
        await strike("DeleteFunction");
        await house.api.call("datasets.delete", { datasetName });
        await reaches(house, datasetName, "DELETED", LONGEST_MS);
        assert.deepEqual([await unhit(struck, last), await functions()], [[], []]);
        // What was done though its answer was lost is not asked for a second time.
        await administer(house.sandboxUrl, "DELETE faults");
      });
  });
