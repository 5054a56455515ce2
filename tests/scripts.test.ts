/**
 * Tells the stories of tests/scripts and compares each with the transcript beside it, word for word, once ids,
 * times and ports have got names that are the same in every run. `UPDATE=1 node --test tests/scripts.test.ts`
 * writes the transcripts anew; read what changed before you keep it.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ROOT } from "./sources.ts";
import { withoutPackets } from "./support/hosts.ts";
import { needsPackets, parseStory, startedOnce, tell } from "./support/story.ts";

const FOLDER = join(ROOT, "tests/scripts");
const stories = readdirSync(FOLDER).filter((name) => name.endsWith(".story"));
const update = process.env.UPDATE === "1";

/** Three at a time: most of a story is waiting for processes to start. */
describe("stories", { concurrency: 3 }, () => {
  let started = "";
  before(async () => {
    started = await startedOnce();
  });
  after(() => rmSync(started, { recursive: true, force: true }));

  for (const name of stories) {
    const story = readFileSync(join(FOLDER, name), "utf8");
    test(basename(name, ".story"), { skip: needsPackets(story) && withoutPackets() }, async (t) => {
      const { transcript, aws } = await tell(story, started);
      t.diagnostic(`the customer's side: ${aws}`);
      const file = join(FOLDER, name.replace(/\.story$/, ".transcript"));
      if (update) writeFileSync(file, transcript);
      assert.equal(transcript, existsSync(file) ? readFileSync(file, "utf8") : "");
    });
  }
});

test("no transcript is left without its story", () => {
  const orphans = readdirSync(FOLDER).filter(
    (name) => !stories.includes(name.replace(/\.\w+$/, ".story")) || !/\.(story|transcript)$/.test(name),
  );
  assert.deepEqual(orphans, []);
});

test("commands go on after a backslash and to the end of a here-document", () => {
  const lines = parseStory("# why\na \\\n  b\n\ncat <<EOF\n# body\nEOF\nkeep X a.0.b\nc");
  assert.deepEqual(lines, [
    { kind: "text", text: "# why" },
    { kind: "command", text: "a \\\n  b" },
    { kind: "text", text: "" },
    { kind: "command", text: "cat <<EOF\n# body\nEOF" },
    { kind: "keep", name: "X", path: "a.0.b" },
    { kind: "command", text: "c" },
  ]);
});
