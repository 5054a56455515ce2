import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Closure } from "./closure.ts";
import { install } from "./install.ts";

const root = mkdtempSync(path.join(tmpdir(), "letsdata-install-"));
after(() => rmSync(root, { recursive: true, force: true }));

const CONTENT: Readonly<Record<string, string>> = {
  "org/a/1/a-1.jar": "first",
  "org/b/2/b-2.jar": "second, and longer",
};

const jars = Object.entries(CONTENT).map(([name, text]) => ({
  path: name,
  bytes: text.length,
  sha256: createHash("sha256").update(text).digest("hex"),
}));
const closure: Closure = { version: "1.0.0", jars, checkpoint: Buffer.alloc(0) };

/** A Maven repository on the loopback that answers with what `serve` says. */
async function repository(serve: (name: string, response: http.ServerResponse) => void) {
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    const name = (request.url ?? "").slice(1);
    asked.push(name);
    serve(name, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

let count = 0;
const newHome = () => path.join(root, `home-${count++}`);

function run(home: string, repository: string, signal = new AbortController().signal) {
  const said: number[] = [];
  const brought = install({ closure, home, repository, signal, progress: (done) => void said.push(done) });
  return brought.then((jars) => ({ jars, said }));
}

const libs = (home: string) => readdirSync(path.join(home, "libs")).sort();

describe("installing Kafka", () => {
  test("brings every jar, says how far it is, and brings nothing a second time", async () => {
    const { url, asked } = await repository((name, response) => response.end(CONTENT[name]));
    const home = newHome();
    const { jars: brought, said } = await run(home, url);
    assert.deepEqual([brought, said.at(-1)], [2, 23]);
    assert.deepEqual(libs(home), ["a-1.jar", "b-2.jar"]);
    assert.equal(readFileSync(path.join(home, "libs/a-1.jar"), "utf8"), "first");
    assert.deepEqual([(await run(home, url)).jars, asked.length], [0, 2]);
  });

  test("goes on where it was interrupted", async () => {
    const half = await repository((name, response) => {
      if (name.startsWith("org/a/")) response.end(CONTENT[name]);
      else response.writeHead(503).end();
    });
    const home = newHome();
    await assert.rejects(run(home, half.url), /b-2\.jar could not be had: the repository answers 503/);
    assert.deepEqual(libs(home), ["a-1.jar"]);
    const whole = await repository((name, response) => response.end(CONTENT[name]));
    assert.equal((await run(home, whole.url)).jars, 1);
    assert.deepEqual(whole.asked, ["org/b/2/b-2.jar"]);
  });

  test("keeps nothing that is not what is listed, and mends what was spoilt", async () => {
    const { url } = await repository((name, response) =>
      response.end(name.includes("/b/") ? "another, longer one" : CONTENT[name]),
    );
    const home = newHome();
    await assert.rejects(run(home, url), /larger than the 18 bytes/);
    const short = await repository((name, response) =>
      response.end(name.includes("/b/") ? "other" : CONTENT[name]),
    );
    await assert.rejects(run(home, short.url), /b-2\.jar is not what it should be: its SHA-256 is/);
    assert.deepEqual(libs(home), ["a-1.jar"]);
    writeFileSync(path.join(home, "libs/a-1.jar"), "spoilt");
    const whole = await repository((name, response) => response.end(CONTENT[name]));
    assert.equal((await run(home, whole.url)).jars, 2);
  });

  test("takes a folder that is laid out like a repository", async () => {
    const folder = path.join(root, "repository");
    for (const [name, text] of Object.entries(CONTENT)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
    assert.equal((await run(newHome(), pathToFileURL(folder).href)).jars, 2);
    rmSync(path.join(folder, "org/b"), { recursive: true });
    await assert.rejects(run(newHome(), pathToFileURL(folder).href), /b-2\.jar could not be had: ENOENT/);
  });

  test("says what is wrong when nobody answers, and ends when it is told to", async () => {
    const home = newHome();
    await assert.rejects(run(home, "http://127.0.0.1:9"), /[ab]-\d\.jar could not be had/);
    const stopping = new AbortController();
    const { url } = await repository((_name, response) => {
      response.write("f");
      stopping.abort();
    });
    await assert.rejects(run(home, url, stopping.signal), { name: "AbortError" });
    assert.deepEqual(existsSync(path.join(home, "libs")) ? libs(home) : [], []);
  });
});
