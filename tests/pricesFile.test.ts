/** `letsdata serve --pricesFile`: an operator's prices are taken, and a table that is wrong stops the start. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { apiClient } from "../src/contract/client.ts";
import { run, serving } from "./support/letsdata.ts";

let cwd = "";
before(() => {
  cwd = mkdtempSync(join(tmpdir(), "letsdata-prices-"));
});
after(() => rmSync(cwd, { recursive: true, force: true }));

const prices = (hourlyUsd: unknown) => ({
  date: "2026-12-01",
  regions: {
    "us-west-2": {
      natGateway: { hourlyUsd, source: "our contract" },
      elasticIp: { hourlyUsd: 0.004, source: "our contract" },
    },
  },
});

test("a wrong one, or none at all, ends the start with what is wrong", async () => {
  writeFileSync(join(cwd, "wrong.json"), JSON.stringify(prices("0.04")));
  const wrong = await run(cwd, ["serve", "--port", "0", "--pricesFile", "wrong.json"]).ended;
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /wrong\.json: regions\.us-west-2\.natGateway\.hourlyUsd must be a number/);
  const none = await run(cwd, ["serve", "--port", "0", "--pricesFile", "none.json"]).ended;
  assert.deepEqual([none.code, /There is no prices file none\.json/.test(none.stderr)], [2, true]);
});

test("a right one is reckoned with", async () => {
  writeFileSync(join(cwd, "right.json"), JSON.stringify(prices(0.04)));
  const server = await serving(cwd, ["--pricesFile", "right.json"]);
  try {
    const plan = await apiClient({ url: server.url, apiKey: server.operatorKey }).callAny("datasets.create", {
      dryRun: true,
      datasetName: "Clicks",
      region: "us-west-2",
      customerAccountForAccess: "111122223333",
      writeConnector: { connectorDestination: "Kafka", kafka: { clusterType: "none" } },
    });
    const { monthlyUsd, pricesDate, atLeast } = plan.cost as Record<string, unknown>;
    // The S3 endpoint and the rest have no price in this table, so it is at least 3 × (0.04 + 0.004) × 730.
    assert.deepEqual([monthlyUsd, pricesDate, atLeast], [96.36, "2026-12-01", true]);
  } finally {
    server.child.kill("SIGTERM");
    await server.ended;
  }
});
