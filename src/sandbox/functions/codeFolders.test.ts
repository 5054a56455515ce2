/** Code on the disk: unpacked once, whole, read as the archive alone says; removed when it has gone. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { zipped } from "../testing/functions.ts";
import { CodeFolders } from "./codeFolders.ts";

const above = mkdtempSync(path.join(tmpdir(), "letsdata-code-"));
after(() => rmSync(above, { recursive: true, force: true }));

describe("folders of code", () => {
  const root = path.join(above, "functions");
  let folders: CodeFolders;
  beforeEach(() => {
    rmSync(root, { recursive: true, force: true });
    folders = new CodeFolders(root);
  });

  const zip = () => zipped({ "index.js": "one", "lib/more.js": "two" });

  test("are unpacked once, however many ask at a time", async () => {
    let times = 0;
    const counted = () => {
      times += 1;
      return zip();
    };
    const [first, second] = await Promise.all([folders.of("code-1", counted), folders.of("code-1", counted)]);
    assert.deepEqual([first, second, times], [path.join(root, "code-1"), path.join(root, "code-1"), 1]);
    assert.equal(readFileSync(path.join(root, "code-1/lib/more.js"), "utf8"), "two");
    assert.equal(statSync(path.join(root, "code-1")).mode & 0o777, 0o700);
    assert.equal(readFileSync(path.join(root, "package.json"), "utf8"), "{}\n");
  });

  test("what another process left half done is done anew", async () => {
    for (const name of ["code-1", "code-1.unfinished"]) {
      mkdirSync(path.join(root, name), { recursive: true });
      writeFileSync(path.join(root, name, "old.js"), "");
    }
    await folders.of("code-1", zip);
    assert.deepEqual(readdirSync(path.join(root, "code-1")).sort(), ["index.js", "lib"]);
  });

  test("go when their code has, those of another process's too", async () => {
    mkdirSync(path.join(root, "code-old"), { recursive: true });
    await folders.of("code-1", zip);
    await folders.of("code-2", zip);
    await folders.keep((id) => id === "code-2");
    assert.deepEqual(readdirSync(root).sort(), ["code-2", "package.json"]);
    await folders.keep(() => false);
    assert.deepEqual(readdirSync(root), ["package.json"]);
    await folders.of("code-2", zip);
    assert.deepEqual(readdirSync(root).sort(), ["code-2", "package.json"]);
  });

  test("an archive that cannot be unpacked leaves it to the next who asks", async () => {
    await assert.rejects(folders.of("code-1", () => new Uint8Array()));
    await folders.of("code-1", zip);
    assert.deepEqual(readdirSync(path.join(root, "code-1")).sort(), ["index.js", "lib"]);
  });
});
