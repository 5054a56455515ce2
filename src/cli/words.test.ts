import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LocalCommand } from "./commands.ts";
import { cli } from "./testing.ts";

describe("a command with words of its own", () => {
  const enter: LocalCommand = {
    path: ["sandbox", "enter"],
    brief: "Enter it",
    description: "Enters it.",
    examples: [],
    options: [{ name: "user", kind: "string", brief: "As whom", placeholder: "name" }],
    words: [
      { name: "host", brief: "Which host", placeholder: "HOST" },
      { name: "protocol", brief: "By what", placeholder: "PROTOCOL", values: ["tcp", "udp"], optional: true },
    ],
    rest: { name: "command", brief: "what runs there", placeholder: "COMMAND..." },
    run: async (options, { stdout }) => void stdout.write(JSON.stringify(options)),
  };
  const groups = [{ path: ["sandbox"], brief: "A cloud", description: "A small cloud.", commands: [enter] }];
  const enterWith = (...words: string[]) => cli(["sandbox", "enter", ...words], { groups });

  test("gets them by name, and what is behind -- untouched", async () => {
    const ran = await enterWith("i-1", "tcp", "--user", "u", "--", "ls", "--user=", "", " -- ", "--help");
    assert.deepEqual(JSON.parse(ran.stdout), {
      user: "u",
      host: "i-1",
      protocol: "tcp",
      command: ["ls", "--user=", "", " -- ", "--help"],
    });
    assert.deepEqual(JSON.parse((await enterWith("i-1", "--", "ls")).stdout), {
      host: "i-1",
      command: ["ls"],
    });
  });

  test("what is behind -- is no flag of ours, not even for how errors are printed", async () => {
    const ran = await enterWith("--nonsense", "--", "x", "--output=json");
    assert.equal(ran.exit, 2);
    assert.match(ran.stderr, /^Error: There is no flag --nonsense/);
  });

  test("says which word is missing, wrong or too much", async () => {
    assert.match((await enterWith("--", "ls")).stderr, /^Error: HOST is missing/);
    assert.match(
      (await enterWith("i-1", "sctp", "--", "ls")).stderr,
      /PROTOCOL is "sctp", but takes tcp, udp/,
    );
    assert.match((await enterWith("i-1", "tcp", "9092", "--", "ls")).stderr, /"9092" belongs to no flag/);
    assert.equal((await enterWith("--", "ls")).exit, 2);
  });

  test("says how it is written when nothing is behind --", async () => {
    const ran = await enterWith("i-1", "ls");
    assert.equal(ran.exit, 2);
    assert.match(ran.stderr, /It is not said what to run: what runs there/);
    assert.match(ran.stderr, /letsdata sandbox enter HOST \[tcp\|udp\] \[options\] -- COMMAND\.\.\./);
    assert.equal((await enterWith("i-1", "--")).exit, 2);
  });

  test("shows them in its help", async () => {
    const { stdout } = await enterWith("--help");
    assert.match(stdout, /letsdata sandbox enter HOST \[tcp\|udp\] \[options\] -- COMMAND\.\.\./);
    assert.match(stdout, /HOST +Which host/);
  });

  test("other commands take nothing behind --", async () => {
    const ran = await cli(["vpcs", "list", "--", "x"]);
    assert.equal(ran.exit, 2);
    assert.match(ran.stderr, /`letsdata vpcs list` takes nothing behind --/);
  });
});
