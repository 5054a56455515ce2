/** The disk of the power cuts, beside mount namespaces of other people's making. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { loopDisk } from "./loopdisk.ts";

function writeThrough(file: string, text: string): void {
  const descriptor = fs.openSync(file, "w");
  fs.writeSync(descriptor, text);
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
}

test("a disk comes back after a cut though another mount namespace holds on to it", async (t) => {
  const disk = loopDisk(32);
  if (typeof disk === "string") return t.skip(`NOT tested: ${disk}`);
  const holder = spawn(
    "unshare",
    ["--mount", "--propagation", "private", "sh", "-c", "echo held; read end"],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const ended = once(holder, "close");
  try {
    await once(holder.stdout, "data");
    for (const round of ["first", "second"]) {
      writeThrough(path.join(disk.folder, round), round);
      disk.cutPower();
      disk.powerOn();
      assert.equal(fs.readFileSync(path.join(disk.folder, round), "utf8"), round);
    }
    writeThrough(path.join(disk.folder, "after"), "after");
  } finally {
    holder.stdin.end();
    await ended;
    disk.remove();
  }
});
