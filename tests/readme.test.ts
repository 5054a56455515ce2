/**
 * Runs the commands of README.md as they stand, in order, in a copy of this clone: one shell for each section,
 * so that variables live on from block to block. How a block is run is said by its info string; see
 * support/fences.ts. Two things are done for the reader: the server takes a free port instead of 4580, and where
 * the real `aws` is missing a stand-in answers.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { ROOT } from "./sources.ts";
import { type CommandLine, commandLine } from "./support/customer.ts";
import { type Fence, fencesOf, openShell, type Shell } from "./support/fences.ts";
import { type Served, startServe } from "./support/served.ts";

const LEFT_OUT = new Set(["node_modules", ".git", ".letsdata", ".cache"]);
const fences = fencesOf(readFileSync(join(ROOT, "README.md"), "utf8"));
const sections = [...new Set(fences.map(({ section }) => section))];

/** A clone after `npm ci`. */
function copyOfClone(folder: string): string {
  const clone = join(folder, "letsdata");
  const filter = (from: string) => !LEFT_OUT.has(relative(ROOT, from));
  cpSync(ROOT, clone, { recursive: true, filter });
  symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"));
  return clone;
}

/** `npm start` takes its options after a `--`. */
function onFreePort(command: string): string {
  const line = command.trim();
  if (/--port\b/.test(line)) return line;
  return `${line}${/^npm (start|run)\b/.test(line) && !line.includes(" -- ") ? " --" : ""} --port 0`;
}

describe("README.md", () => {
  let folder = "";
  let clone = "";
  let place: CommandLine;
  let served: Served | null = null;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "letsdata-readme-"));
    mkdirSync(join(folder, "scripts"));
    place = commandLine(folder);
    clone = copyOfClone(folder);
  });

  after(async () => {
    await served?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Why the sandbox that runs carries no packets; null when it does. */
  async function whyNoPackets(): Promise<string | null> {
    const { sandboxUrl } = JSON.parse(readFileSync(join(clone, ".letsdata/credentials.json"), "utf8"));
    const answer = await fetch(`${sandboxUrl}/_sandbox/dataplane`);
    const { status, why } = (await answer.json()) as { status: "on" | "off"; why?: string };
    return status === "on" ? null : (why ?? "");
  }

  async function run({ way, text }: Fence, shell: Shell): Promise<void> {
    if (way === "install") return;
    if (way !== "serve") return void (await shell.run(atItsPort(text)));
    await served?.stop();
    served = await startServe({ command: onFreePort(text), cwd: clone, env: place.env });
  }

  function atItsPort(text: string): string {
    return served ? text.replace(/http:\/\/(?:127\.0\.0\.1|localhost):4580/g, served.url) : text;
  }

  for (const section of sections)
    test(section, async (t) => {
      const blocks = fences.filter((fence) => fence.section === section);
      if (blocks.some(({ way }) => way === "customer")) t.diagnostic(`the customer's side: ${place.aws}`);
      const shell = openShell({ cwd: clone, env: place.env, scripts: join(folder, "scripts") });
      try {
        for (const block of blocks) {
          const why = block.way === "packets" ? await whyNoPackets() : null;
          if (why !== null)
            t.diagnostic(`SKIPPED, NO PACKETS HERE (${why}): the block of line ${block.line}`);
          else
            await run(block, shell).catch((error: Error) => {
              throw new Error(`README.md, block of line ${block.line}: ${error.message}\n${block.text}`);
            });
        }
      } finally {
        await shell.close();
      }
    });

  test("there is a walk to run, with a server, a customer and packets", () => {
    const ways = new Set(fences.map(({ way }) => way));
    assert.deepEqual([...ways].sort(), ["customer", "install", "packets", "run", "serve"]);
  });
});

test("a block is run as its info string says; what is not in sh is for reading", () => {
  const markdown = "## A\n```sh install\na\n```\n```console\nb\n```\n## B\n### C\n```sh\nc\nd\n```\n";
  assert.deepEqual(fencesOf(markdown), [
    { way: "install", section: "A", line: 2, text: "a\n" },
    { way: "run", section: "B", line: 10, text: "c\nd\n" },
  ]);
  assert.throws(() => fencesOf("```sh sever\n```\n"), /line 1: nobody knows how/);
});

test("a shell keeps variables, and a command that fails ends it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "letsdata-shell-"));
  const shell = openShell({ cwd: folder, env: { PATH: process.env.PATH }, scripts: folder });
  try {
    await shell.run("X=$(echo 1)\ncat\n");
    assert.equal(await shell.run('echo "$X"\n'), "1\n");
    await assert.rejects(shell.run("echo before\nfalse\necho after\n"), /ended with 1:\nbefore\n$/);
  } finally {
    await shell.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
