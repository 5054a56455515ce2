import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./sources.ts";

const page = readFileSync(join(ROOT, "docs/vpcs.md"), "utf8");

test("docs/vpcs.md and docs/connectors.md are what their templates and the transcripts make now", () => {
  const checked = spawnSync(process.execPath, [join(ROOT, "scripts/vpcs-docs.ts"), "--check"], {
    encoding: "utf8",
  });
  assert.equal(checked.status, 0, checked.stderr);
});

test("every section of the product page is in it", () => {
  for (const heading of [
    "IP address management",
    "Sizes",
    "Network architecture",
    "VPC peering connections",
    "Setup",
    "Command syntax",
    "Command help",
    "Command examples",
  ])
    assert.match(page, new RegExp(`^#{2,3} ${heading}$`, "m"));
});

test("links inside the repository lead somewhere", () => {
  const links = [...page.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map(([, link]) => link ?? "");
  assert.deepEqual(
    links.filter((link) => !existsSync(join(ROOT, "docs", link))),
    [],
  );
});
