/**
 * `letsdata serve` as a process: it ends when it is told to, whatever it is doing, and the next start goes on;
 * and two of them never share a data folder.
 */
import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { EC2Client } from "@aws-sdk/client-ec2";
import { run, type Serving, serving } from "./support/letsdata.ts";
import { oneOfEach, oursByKey, sortedEntries } from "./support/networks.ts";
import { ask, kafka } from "./support/requests.ts";

const LONGEST_STOP_MS = 5_000;
/** NAT gateways take long enough for the create to be still running when the signal comes. */
const SLOW = ["--sandboxSet", "natPendingMs=4000"];
/** A call that a busy machine does not get answered before its end is made again this soon. */
const WINDOW = ["--consistencySeconds", "10"];

let cwd = "";
const started: Serving[] = [];

before(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), "letsdata-serve-")));
});
after(async () => {
  for (const { child, ended } of started) {
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(cwd, { recursive: true, force: true });
});

async function start(args: readonly string[] = []): Promise<Serving> {
  const server = await serving(cwd, [...WINDOW, ...args]);
  started.push(server);
  return server;
}

/** Waits, by the machine's own clock, as the processes do. */
async function until(what: string, asked: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await asked())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const view = async (server: Serving, name: string) => (await ask(server, `GET /v1/datasets/${name}`)).body;
const reaches = (server: Serving, name: string, status: string) =>
  until(`${name} ${status}`, async () => (await view(server, name)).status === status);

async function cloudOf({ sandboxUrl }: Serving): Promise<ReadonlyMap<string, number>> {
  const clients: EC2Client[] = [];
  const ec2 = (account: string, region = "us-east-1") => {
    const credentials = { accessKeyId: account, secretAccessKey: "test" };
    const client = new EC2Client({ endpoint: sandboxUrl, region, credentials });
    clients.push(client);
    return client;
  };
  try {
    return await oursByKey({ ec2 });
  } finally {
    for (const client of clients) client.destroy();
  }
}

async function stopped({ child, ended, output }: Serving): Promise<void> {
  const told = Date.now();
  child.kill("SIGTERM");
  const { code } = await ended;
  const took = Date.now() - told;
  assert.equal(code, 0, output().stderr.slice(-2000));
  assert.ok(took < LONGEST_STOP_MS, `it took ${took} ms to end`);
}

describe("SIGTERM", () => {
  test("in the middle of a create and of a delete: the end within 5 s, exit 0; the next start goes on", async () => {
    const first = await start(SLOW);
    assert.equal((await ask(first, "POST /v1/datasets", { body: kafka("Clicks") })).status, 201);
    await until("its VPC is there", async () => (await view(first, "Clicks")).vpcId !== null);
    await stopped(first);
    const second = await start();
    assert.equal(second.operatorKey, first.operatorKey);
    const wait = /making a database in .*, which takes some seconds/;
    assert.match(first.output().stderr, wait);
    assert.doesNotMatch(second.output().stderr, wait);
    await reaches(second, "Clicks", "ACTIVE");
    assert.deepEqual(sortedEntries(await cloudOf(second)), sortedEntries(oneOfEach()));
    assert.equal((await ask(second, "DELETE /v1/datasets/Clicks")).status, 202);
    await stopped(second);
    const third = await start();
    await reaches(third, "Clicks", "DELETED");
    assert.deepEqual([...(await cloudOf(third))], []);
    await stopped(third);
  });

  test("while the cloud never answers and somebody waits for it: they are answered, and the next start goes on", async () => {
    const silent = createServer(() => undefined).unref();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const deaf = await start(["--sandboxUrl", `http://127.0.0.1:${port}`]);
    assert.equal((await ask(deaf, "POST /v1/datasets", { body: kafka("Silent") })).status, 201);
    await until("a call hangs", async () => new Promise((go) => silent.getConnections((_, n) => go(n > 0))));
    const listed = ask(deaf, "GET /v1/datasets/Silent/vpcPeeringConnections");
    const swept = ask(deaf, "POST /v1/sweep", { body: { fix: false } });
    assert.equal((await ask(deaf, "GET /healthz")).status, 200);
    await stopped(deaf);
    const { status, body } = await listed;
    assert.equal(status, 200);
    assert.match(body.notes[0], /could not be looked at just now/);
    assert.equal((await swept).body.endedDatetime, null);
    const next = await start();
    await reaches(next, "Silent", "ACTIVE");
  });

  test("while somebody waits for an answer: they get it", async () => {
    const server = started.at(-1);
    assert.ok(server);
    await ask(server, "POST /v1/datasets", { body: kafka("Waited") });
    const listed = ask(server, "GET /v1/datasets/Waited/vpcPeeringConnections");
    assert.equal((await ask(server, "GET /healthz")).status, 200);
    await stopped(server);
    assert.equal((await listed).status, 200);
  });
});

describe("a data folder that is a file", () => {
  for (const command of [["serve"], ["sandbox", "serve"]])
    test(`is refused by \`${command.join(" ")}\``, async () => {
      const file = join(cwd, "file");
      writeFileSync(file, "");
      const { code, stderr } = await run(cwd, [...command, "--port", "0", "--dataDir", file]).ended;
      assert.equal(code, 2, stderr);
      assert.ok(stderr.includes(`The data folder ${file} cannot be used: a file of that name`), stderr);
    });
});

describe("a role for functions", () => {
  for (const arn of ["probes", "arn:aws:iam::12345:role/probes", "arn:aws:iam::123456789012:user/probes"])
    test(`is refused at the start when it is none: ${arn}`, async () => {
      const args = ["serve", "--port", "0", "--dataDir", join(cwd, "unused"), "--functionRoleArn", arn];
      const { code, stderr } = await run(cwd, args).ended;
      assert.equal(code, 2, stderr);
      assert.ok(stderr.includes(`--functionRoleArn ${arn} is not the ARN of a role`), stderr);
      assert.match(stderr, /It looks like arn:aws:iam::123456789012:role\/NAME/);
    });
});

describe("a data folder in use", () => {
  test("is refused to a second `serve`, which says so and leaves the first alone", async () => {
    const first = await start();
    const { code, stdout, stderr } = await run(cwd, ["serve", "--port", "0"]).ended;
    assert.deepEqual([code, stdout], [5, ""]);
    assert.ok(stderr.includes(join(cwd, ".letsdata")), stderr);
    assert.match(stderr, /in use by another process/);
    assert.match(stderr, /--dataDir/);
    assert.equal((await ask(first, "GET /readyz")).status, 200);
  });

  test("is refused to a sandbox too", async () => {
    const { code, stderr } = await run(cwd, [
      "sandbox",
      "serve",
      "--port",
      "0",
      "--dataDir",
      ".letsdata/sandbox",
    ]).ended;
    assert.equal(code, 5, stderr);
    assert.match(stderr, /\.letsdata\/sandbox is in use by another process/);
  });

  test("a port in use is refused as clearly", async () => {
    const first = started.at(-1);
    assert.ok(first);
    await stopped(first);
    const holder = createServer().unref();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const { port } = holder.address() as AddressInfo;
    const { code, stderr } = await run(cwd, ["serve", "--port", String(port)]).ended;
    assert.equal(code, 5, stderr);
    assert.ok(stderr.includes(`Port ${port} of 127.0.0.1 is taken`), stderr);
  });
});
