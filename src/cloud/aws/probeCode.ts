/**
 * The code of the probe's function, as AWS Lambda takes it: the folder `src/probe` in one zip archive. Promises the
 * same bytes for the same files on every machine and at every time, so that AWS's digest of them tells whether a
 * function runs the code of this version.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { type Zippable, zipSync } from "fflate";

export interface ProbeCode {
  readonly zip: Uint8Array;
  /** As Lambda's CodeSha256. */
  readonly sha256: string;
}

const FOLDER = new URL("../../probe/", import.meta.url);
/** The function of that name in the file of that name. */
export const PROBE_HANDLER = "probe.handler";

/** A zip archive knows no moment before this one, and none of a time zone. */
const BEGINNING = new Date(1980, 0, 1);
const UNIX = 3;
/** The function's user must be able to read it: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-package.html */
const READABLE_BY_ALL = 0o644 << 16;

let known: ProbeCode | undefined;

/** Read once in a process's life. */
export function probeCode(): ProbeCode {
  known ??= packed();
  return known;
}

function packed(): ProbeCode {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".mjs"));
  const files: Zippable = Object.fromEntries(
    names.sort().map((name) => [name, readFileSync(new URL(name, FOLDER))]),
  );
  const zip = zipSync(files, { level: 9, mtime: BEGINNING, os: UNIX, attrs: READABLE_BY_ALL });
  return { zip, sha256: createHash("sha256").update(zip).digest("base64") };
}
