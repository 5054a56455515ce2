/**
 * `npm run bench:fleet`: 100 datasets at once in one cell, under AWS's own rate limits and times, on a clock
 * that leaps. Prints the time no control plane can be faster than and the action it comes from, the time to the
 * last ACTIVE, and how many calls were throttled. A JSON line a figure; exits 1 beyond a limit. Another number
 * of datasets may be given: `npm run bench:fleet -- 20`.
 */
import { bound, createFleet, type Fleet, throttled } from "../tests/support/fleet.ts";
import { awsSettings } from "../tests/support/plane.ts";

const LIMIT_RATIO = 1.2;
const LIMIT_THROTTLED_PERCENT = 1;
const datasets = Number(process.argv[2] ?? 100);

function report(figure: string, value: number, limit: number): void {
  const ok = value <= limit;
  console.log(JSON.stringify({ figure, value: Number(value.toFixed(3)), limit, ok }));
  if (!ok) process.exitCode = 1;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function reads(fleet: Fleet): string {
  const all = fleet.sent.length;
  const changes = fleet.sent.filter(({ mutating }) => mutating).length;
  return `${all} calls: ${changes} changes, ${all - changes} reads`;
}

const began = performance.now();
const alone = await createFleet({ datasets: 1 });
const least = bound(alone, datasets, awsSettings());
const fleet = await createFleet({ datasets });
const last = fleet.readyMs.at(-1) ?? 0;
console.log(`one dataset alone    ${seconds(alone.readyMs[0] ?? 0)}, ${reads(alone)}`);
console.log(`the bound            ${seconds(least.ms)}, by ${least.action} (${least.calls} calls)`);
console.log(`first and last ACTIVE of ${datasets}  ${seconds(fleet.readyMs[0] ?? 0)}, ${seconds(last)}`);
console.log(`the fleet            ${reads(fleet)}, ${throttled(fleet)} throttled`);
console.log(`computed in          ${seconds(performance.now() - began)}`);
report("throttled percent of calls", (100 * throttled(fleet)) / fleet.sent.length, LIMIT_THROTTLED_PERCENT);
report("last ACTIVE over the bound", last / least.ms, LIMIT_RATIO);
