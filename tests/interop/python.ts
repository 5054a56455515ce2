/**
 * Python packages of the interop tests: which versions, where they are put, and putting them there. They live
 * in a virtual environment under node_modules/.cache, which no tool of ours looks into. `npm run test:interop`
 * runs this file first; where there is no Python or no package index it says so and ends well, and the tests
 * that need them are left out.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../sources.ts";
import { leftOut, run } from "./programs.ts";

/**
 * Exact: what moto does not do is listed for this version. Its extra `server` would bring a hundred packages
 * for services that are not asked here; its server needs these two.
 */
const PACKAGES = ["moto[ec2]==5.2.5", "flask==3.1.3", "flask-cors==6.0.5", "boto3==1.44.5"];

const PLACE = join(ROOT, "node_modules/.cache/letsdata-interop");
const DONE = join(PLACE, `done-${PACKAGES.join("+").replace(/[^\w.+=-]/g, "_")}`);

export interface Python {
  readonly place: string;
  readonly python: string;
  /** The path of a program that a package brought. */
  program(name: string): string;
}

/** Null when the packages are not there. */
export function installedPython(): Python | null {
  if (!existsSync(DONE)) return null;
  const program = (name: string) => join(PLACE, "venv/bin", name);
  return { place: PLACE, python: program("python"), program };
}

export const HOW_TO_PYTHON =
  "needs python3 with venv (on Debian: apt-get install python3-venv) and a package index; then: node tests/interop/python.ts";

/** A reason when it cannot be done, null when all is there. */
async function install(): Promise<string | null> {
  if (existsSync(DONE)) return null;
  rmSync(PLACE, { recursive: true, force: true });
  mkdirSync(PLACE, { recursive: true });
  const python = join(PLACE, "venv/bin/python");
  const steps: (readonly [string, readonly string[]])[] = [
    ["python3", ["-m", "venv", join(PLACE, "venv")]],
    [python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES]],
  ];
  for (const [program, args] of steps) {
    const { code, stderr } = await run(program, args);
    if (code !== 0) return `${program} ${args.slice(0, 3).join(" ")} …: ${stderr.trim().slice(-600)}`;
  }
  writeFileSync(DONE, "");
  return null;
}

if (import.meta.main) {
  const started = Date.now();
  const reason = await install();
  if (reason) leftOut("what needs moto and boto3", `${HOW_TO_PYTHON}\n!!! ${reason}`);
  else console.error(`moto and boto3 are there (${((Date.now() - started) / 1000).toFixed(0)} s)`);
}
