/**
 * `npm run bench:start`: seconds from `letsdata serve` on a new data folder to its ready line, and resident
 * megabytes of every process it leaves running, at rest and after a dataset was made. Linux (/proc). Prints
 * one JSON line a figure, and exits 1 beyond a limit.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLine } from "../tests/support/customer.ts";

const ROOT = join(import.meta.dirname, "..");
const LIMIT_SECONDS = 15;
const LIMIT_MEGABYTES = 600;
const folder = mkdtempSync(join(tmpdir(), "letsdata-bench-"));
// Not what the environment or a profile of whoever runs this leads to.
const { env } = commandLine(folder);
const started = performance.now();
const child = spawn(
  join(ROOT, "bin/letsdata"),
  ["serve", "--port", "0", "--dataDir", join(folder, ".letsdata")],
  {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "ignore"],
  },
);

/** The process and all below it. */
function family(pid: number): number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) }];
      } catch {
        return []; // it ended while we looked
      }
    });
  const below = (of: number): number[] => [
    of,
    ...parents.filter(({ parent }) => parent === of).flatMap((one) => below(one.pid)),
  ];
  return below(pid);
}

function residentMegabytes(pid: number): number {
  const kilobytes = family(pid).map((one) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, "utf8"))?.[1] ?? 0),
  );
  return Math.round(kilobytes.reduce((sum, one) => sum + one, 0) / 1024);
}

function report(figure: string, value: number, limit: number): void {
  const ok = value <= limit;
  console.log(JSON.stringify({ figure, value, limit, ok }));
  if (!ok) process.exitCode = 1;
}

try {
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk) => String(chunk).includes("ready ") && resolve());
    child.on("close", (code) => reject(new Error(`serve ended with ${code}`)));
  });
  const seconds = (performance.now() - started) / 1000;
  const pid = child.pid ?? 0;
  report("seconds to ready", Number(seconds.toFixed(2)), LIMIT_SECONDS);
  report("resident MB at rest", residentMegabytes(pid), LIMIT_MEGABYTES);
  const made = spawnSync(
    join(ROOT, "bin/letsdata"),
    ["datasets", "create", "--configFile", join(ROOT, "examples/dataset.json"), "--wait"],
    { cwd: folder, env },
  );
  if (made.status !== 0) throw new Error(`the dataset was not made: ${made.stderr}`);
  report("resident MB with a dataset", residentMegabytes(pid), LIMIT_MEGABYTES);
} finally {
  child.kill("SIGTERM");
  await new Promise((resolve) => (child.exitCode === null ? child.once("close", resolve) : resolve(null)));
  rmSync(folder, { recursive: true, force: true });
}
