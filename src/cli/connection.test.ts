import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connectionOf, sandboxUrlOf } from "./connection.ts";
import { cli, folder } from "./testing.ts";

type Files = { profiles?: unknown; mode?: number; credentials?: unknown; dataDir?: string };

function home(path: string, { profiles, mode = 0o600, credentials, dataDir = ".letsdata" }: Files) {
  if (profiles !== undefined) {
    mkdirSync(join(path, ".config/letsdata"), { recursive: true });
    const file = join(path, ".config/letsdata/profiles.json");
    writeFileSync(file, JSON.stringify(profiles));
    chmodSync(file, mode);
  }
  if (credentials !== undefined) {
    mkdirSync(join(path, dataDir), { recursive: true });
    writeFileSync(join(path, dataDir, "credentials.json"), JSON.stringify(credentials));
  }
}

const PROFILES = {
  default: { url: "http://default:1", apiKey: "d" },
  prod: { url: "http://prod:1", apiKey: "p" },
};
const CREDENTIALS = { url: "http://here:1", apiKey: "h", sandboxUrl: null, platformAccount: null };
const ENV = { LETSDATA_URL: "http://env:1", LETSDATA_API_KEY: "e" };

/** What is found with the flags and the environment, as `url key`. */
function found(files: Files, flags = {}, env: Record<string, string> = {}): string {
  using dir = folder();
  home(dir.path, files);
  const { url, apiKey } = connectionOf(flags, { env, cwd: dir.path, home: dir.path });
  return `${url} ${apiKey}`;
}

const ALL = { profiles: PROFILES, credentials: CREDENTIALS };

describe("the order of the places", () => {
  test("flags, profile flag, environment, environment's profile, default profile, data folder", () => {
    assert.equal(found(ALL, { url: "http://flag:1", apiKey: "f" }, ENV), "http://flag:1 f");
    assert.equal(found(ALL, { profile: "prod" }, ENV), "http://prod:1 p");
    assert.equal(found(ALL, {}, ENV), "http://env:1 e");
    assert.equal(found(ALL, {}, { LETSDATA_PROFILE: "prod" }), "http://prod:1 p");
    assert.equal(found(ALL), "http://default:1 d");
    assert.equal(found({ credentials: CREDENTIALS }), "http://here:1 h");
    assert.equal(found({ profiles: { prod: PROFILES.prod }, credentials: CREDENTIALS }), "http://here:1 h");
  });

  test("the data folder may be named", () => {
    const files = { credentials: CREDENTIALS, dataDir: "elsewhere" };
    assert.equal(found(files, {}, { LETSDATA_DATA_DIR: "elsewhere" }), "http://here:1 h");
    assert.throws(() => found(files), { code: "invalid" });
  });

  test("XDG_CONFIG_HOME moves the profiles", () => {
    using dir = folder();
    home(dir.path, { profiles: PROFILES });
    const env = { XDG_CONFIG_HOME: join(dir.path, ".config") };
    assert.equal(connectionOf({}, { env, cwd: "/nonexistent", home: "/nonexistent" }).apiKey, "d");
  });
});

describe("a key of a file", () => {
  test("goes with another source only to the same server", () => {
    assert.equal(found(ALL, { url: "http://prod:1/", profile: "prod" }), "http://prod:1/ p");
    assert.equal(found(ALL, { url: "http://here:1" }), "http://here:1 h");
    assert.throws(() => found(ALL, { url: "http://stranger:1" }), { code: "unauthenticated" });
    assert.throws(() => found(ALL, { url: "http://stranger:1", profile: "prod" }), {
      code: "unauthenticated",
    });
  });

  test("is not read when others may read the file", () => {
    assert.throws(() => found({ ...ALL, mode: 0o644 }), { code: "forbidden", hint: /^Run: chmod 600 / });
    assert.equal(found({ ...ALL, mode: 0o644 }, {}, ENV), "http://env:1 e");
  });
});

test("an unknown profile is told with the known ones", () => {
  assert.throws(() => found(ALL, { profile: "prd" }), { code: "invalid", hint: /default, prod/ });
});

test("nowhere to go says what to do next", async () => {
  const ran = await cli(["vpcs", "list"]);
  assert.equal(ran.exit, 2);
  assert.match(ran.stderr, /Hint: Start one here with `letsdata serve`/);
});

test("profiles set, list and remove keep one private file", async () => {
  using dir = folder();
  const at = { home: dir.path, stdin: " secret-key-123\n" };
  const file = join(dir.path, ".config/letsdata/profiles.json");
  assert.equal((await cli(["profiles", "set", "--url", "http://a:1", "--apiKey", "-"], at)).exit, 0);
  assert.equal(
    (await cli(["profiles", "set", "--name", "b", "--url", "http://b:1", "--apiKey", "k"], at)).exit,
    0,
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")).default, {
    url: "http://a:1",
    apiKey: "secret-key-123",
  });
  const list = await cli(["profiles", "list"], at);
  assert.match(list.stdout, /^default +http:\/\/a:1/m);
  assert.doesNotMatch(list.stdout, /secret-key/);
  assert.equal((await cli(["profiles", "remove", "--name", "b"], at)).exit, 0);
  assert.equal((await cli(["profiles", "remove", "--name", "b"], at)).exit, 4);
  assert.equal((await cli(["profiles", "set", "--url", "nonsense", "--apiKey", "k"], at)).exit, 2);
});

describe("the sandbox", () => {
  const sandboxOf = (credentials: unknown, given?: string) => {
    using dir = folder();
    home(dir.path, { credentials });
    return sandboxUrlOf(given, { env: {}, cwd: dir.path });
  };

  test("is the one that was given, then that of the server of this folder", () => {
    const credentials = { ...CREDENTIALS, sandboxUrl: "http://127.0.0.1:2" };
    assert.equal(sandboxOf(credentials), "http://127.0.0.1:2");
    assert.equal(sandboxOf(credentials, "http://127.0.0.1:3/"), "http://127.0.0.1:3");
  });

  test("is not known without a server, and not there when the server works on AWS", () => {
    assert.throws(() => sandboxOf(undefined), {
      code: "invalid",
      message: /there is no .*credentials\.json$/,
    });
    assert.throws(() => sandboxOf(CREDENTIALS), { code: "invalid", message: /works on AWS$/ });
  });

  test("has an http URL", () => {
    assert.throws(() => sandboxOf(undefined, "127.0.0.1:3"), {
      code: "invalid",
      message: '--sandboxUrl "127.0.0.1:3" is not the URL of a sandbox',
      hint: "Write it as http://host:port.",
    });
  });
});
