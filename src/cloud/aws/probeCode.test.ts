import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { unzipSync } from "fflate";
import { PROBE_HANDLER, probeCode } from "./probeCode.ts";

const folder = mkdtempSync(path.join(tmpdir(), "letsdata-probe-"));
after(() => rmSync(folder, { recursive: true, force: true }));

describe("the archive of the probe's code", () => {
  test("is the same on a machine of another time zone, and its digest is Lambda's", () => {
    const program = `import { probeCode } from ${JSON.stringify(new URL("./probeCode.ts", import.meta.url).href)};
      process.stdout.write(probeCode().sha256);`;
    const digests = ["Pacific/Kiritimati", "America/Adak"].map((TZ) =>
      execFileSync(
        process.execPath,
        ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program],
        {
          env: { ...process.env, TZ },
          encoding: "utf8",
        },
      ),
    );
    const { zip, sha256 } = probeCode();
    assert.deepEqual(new Set([...digests, sha256]), new Set([sha256]));
    assert.equal(createHash("sha256").update(zip).digest("base64"), sha256);
  });

  test("holds everything that runs, by itself, from another folder", async () => {
    const files = unzipSync(probeCode().zip);
    for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(folder, name), bytes);
    const [file, name = ""] = PROBE_HANDLER.split(".");
    const program = await import(pathToFileURL(path.join(folder, `${file}.mjs`)).href);
    const order = { host: "127.0.0.1", port: 1, protocol: "tcp", tls: false, ca: null, stageMs: 1_000 };
    const found = await program[name](order);
    assert.deepEqual(
      found.stages.map(({ stage, outcome }: { stage: string; outcome: string }) => `${stage} ${outcome}`),
      ["resolve ok", "connect failed"],
    );
  });
});
