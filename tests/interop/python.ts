/**
 * Python packages of the interop tests: which versions, where they are put, and putting them there. They live
 * in a virtual environment under node_modules/.cache, which no tool of ours looks into. `npm run test:interop`
 * runs this file first; where there is no Python or no package index it says so and ends well, and the tests
 * that need them are left out.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../sources.ts";
import { leftOut, run } from "./programs.ts";

/** Exact: what moto does not do is listed for this version. */
const PACKAGES = ["moto[ec2,server]==5.2.5", "boto3==1.44.5", "ansible-core==2.17.14"];
/** Of this one only two collections are needed: all of it is half a gigabyte. */
const ANSIBLE = "ansible==9.13.0";
const COLLECTIONS = ["amazon/aws", "community/aws"];

const PLACE = join(ROOT, "node_modules/.cache/letsdata-interop");
const DONE = join(PLACE, `done-${[...PACKAGES, ANSIBLE].join("+").replace(/[^\w.+=-]/g, "_")}`);

export interface Python {
  readonly python: string;
  readonly motoServer: string;
  readonly ansiblePlaybook: string;
  /** For ANSIBLE_COLLECTIONS_PATH. */
  readonly collections: string;
}

/** Null when the packages are not there. */
export function installedPython(): Python | null {
  if (!existsSync(DONE)) return null;
  const bin = join(PLACE, "venv/bin");
  return {
    python: join(bin, "python"),
    motoServer: join(bin, "moto_server"),
    ansiblePlaybook: join(bin, "ansible-playbook"),
    collections: join(PLACE, "collections"),
  };
}

export const HOW_TO_PYTHON =
  "needs python3 with venv (on Debian: apt-get install python3-venv) and a package index (pip); then: npm run test:interop";

/** A reason when it cannot be done, null when all is there. */
async function install(): Promise<string | null> {
  if (existsSync(DONE)) return null;
  rmSync(PLACE, { recursive: true, force: true });
  mkdirSync(PLACE, { recursive: true });
  const pip = join(PLACE, "venv/bin/python");
  const wheel = join(PLACE, "wheel");
  const steps: (readonly [string, readonly string[]])[] = [
    ["python3", ["-m", "venv", join(PLACE, "venv")]],
    [pip, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES]],
    [pip, ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", wheel, ANSIBLE]],
    [pip, ["-c", UNPACK, wheel, PLACE, ...COLLECTIONS]],
  ];
  for (const [program, args] of steps) {
    const { code, stderr } = await run(program, args);
    if (code !== 0) return `${program} ${args.slice(0, 3).join(" ")} …: ${stderr.trim().slice(-600)}`;
  }
  rmSync(wheel, { recursive: true });
  writeFileSync(`${DONE}.new`, "");
  renameSync(`${DONE}.new`, DONE);
  return null;
}

const UNPACK = `
import glob, os, sys, zipfile
wheel, place, *names = sys.argv[1:]
archive = zipfile.ZipFile(glob.glob(wheel + "/*.whl")[0])
roots = tuple("ansible_collections/" + name + "/" for name in names)
archive.extractall(os.path.join(place, "collections"), [n for n in archive.namelist() if n.startswith(roots)])
`;

if (import.meta.main) {
  const started = Date.now();
  const reason = await install();
  if (reason) leftOut("moto, boto3 and ansible", `${HOW_TO_PYTHON}\n!!! ${reason}`);
  else console.error(`python packages are there (${((Date.now() - started) / 1000).toFixed(0)} s)`);
}
