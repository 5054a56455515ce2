/**
 * Ansible on the playbook ansible/network.yml, for recording: amazon.aws and community.aws from the `ansible`
 * package of PyPI, of which nothing else is unpacked. Not part of the tests: a run takes minutes.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../sources.ts";
import { succeed } from "./programs.ts";
import { installedPython } from "./python.ts";

const CORE = "ansible-core==2.17.14";
const COLLECTIONS = "ansible==9.13.0";

/** What its answers are recorded as. */
export const ANSIBLE = `${CORE} with amazon.aws and community.aws of ${COLLECTIONS}`;

const UNPACK = `
import glob, os, sys, zipfile
wheel, place = sys.argv[1:]
archive = zipfile.ZipFile(glob.glob(wheel + "/*.whl")[0])
roots = ("ansible_collections/amazon/aws/", "ansible_collections/community/aws/")
archive.extractall(place, [name for name in archive.namelist() if name.startswith(roots)])
`;

/** Runs the playbook; rejects when a task fails. */
export async function playbook(state: "present" | "absent", endpoint: string): Promise<string> {
  const python = installedPython();
  if (!python) throw new Error("run node tests/interop/python.ts first");
  const place = join(python.place, "ansible");
  if (!existsSync(place)) {
    const wheel = join(python.place, "ansible-wheel");
    await succeed(python.python, ["-m", "pip", "install", "--quiet", CORE]);
    await succeed(python.python, [
      "-m",
      "pip",
      "download",
      "--quiet",
      "--no-deps",
      "--dest",
      wheel,
      COLLECTIONS,
    ]);
    await succeed(python.python, ["-c", UNPACK, wheel, place]);
  }
  const file = join(ROOT, "tests/interop/ansible/network.yml");
  const env = {
    ANSIBLE_COLLECTIONS_PATH: place,
    ANSIBLE_PYTHON_INTERPRETER: python.python,
    ANSIBLE_NOCOLOR: "1",
    ANSIBLE_LOCALHOST_WARNING: "false",
    ANSIBLE_INVENTORY_UNPARSED_WARNING: "false",
  };
  const args = [file, "-e", `endpoint=${endpoint}`, "-e", `state=${state}`];
  const { stdout } = await succeed(python.program("ansible-playbook"), args, { env });
  return stdout;
}
