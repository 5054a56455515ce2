/**
 * Brings Apache Kafka to this machine: every jar of the closure from a Maven repository into a folder `libs`, as in
 * Kafka's own distribution. Promises that a jar which is there under its name is whole and is the one listed: it is
 * written beside its place, checked, and moved there. What a run before has brought is checked and kept, so an
 * interrupted installation goes on where it was. Throws an InstallError that says which file, and why.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { type Closure, fileName, type Jar } from "./closure.ts";

export class InstallError extends Error {
  override readonly name = "InstallError";
}

export interface Installation {
  readonly closure: Closure;
  /** The folder that `libs` is made in. */
  readonly home: string;
  /** A Maven repository: https, http, or a folder as a file URL. */
  readonly repository: string;
  readonly signal: AbortSignal;
  /** Told after each jar: bytes that are there, of all. */
  readonly progress: (done: number, all: number) => void;
}

/** How many jars come at once. */
const AT_ONCE = 4;

/** How many jars were brought; the others were there. */
export async function install(what: Installation): Promise<number> {
  const { closure, home, progress } = what;
  const libs = path.join(home, "libs");
  await mkdir(libs, { recursive: true });
  const all = closure.jars.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  let brought = 0;
  const failures: unknown[] = [];
  const queue = closure.jars.values();
  const worker = async () => {
    for (const jar of queue) {
      if (failures.length > 0) return;
      if (await place(jar, path.join(libs, fileName(jar)), what)) brought++;
      done += jar.bytes;
      progress(done, all);
    }
  };
  const fail = (thrown: unknown) => void failures.push(thrown);
  // What is on its way when another jar fails still comes.
  await Promise.all(Array.from({ length: AT_ONCE }, () => worker().catch(fail)));
  if (failures.length > 0) throw failures[0];
  return brought;
}

/** False when it was there already. */
async function place(jar: Jar, target: string, what: Installation): Promise<boolean> {
  what.signal.throwIfAborted();
  if ((await digestOf(target)) === jar.sha256) return false;
  // Another installation may be bringing the same file.
  const part = `${target}.${process.pid}.part`;
  try {
    await fetched(jar, part, what);
    const found = await digestOf(part);
    if (found !== jar.sha256)
      throw new InstallError(
        `the file ${jar.path} is not what it should be: its SHA-256 is ${found}, not ${jar.sha256}`,
      );
    await rename(part, target);
  } finally {
    await rm(part, { force: true });
  }
  return true;
}

async function fetched(jar: Jar, part: string, { repository, signal }: Installation): Promise<void> {
  const url = `${repository.replace(/\/$/, "")}/${jar.path}`;
  try {
    // A stream that nobody reads yet would fail unheard: it is opened when it is read.
    const chunks = async () =>
      url.startsWith("file:") ? createReadStream(new URL(url)) : await bodyOf(url, signal);
    await written(chunks, part, jar);
  } catch (thrown) {
    if (signal.aborted || thrown instanceof InstallError) throw thrown;
    throw new InstallError(`the file ${url} could not be had: ${reason(thrown)}`, { cause: thrown });
  }
}

async function bodyOf(url: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(url, { signal });
  if (response.ok && response.body) return response.body;
  throw new InstallError(`the file ${url} could not be had: the repository answers ${response.status}`);
}

/** A body that is longer than it should be is not read to its end. */
async function written(
  chunks: () => Promise<AsyncIterable<Uint8Array>>,
  part: string,
  jar: Jar,
): Promise<void> {
  const file = await open(part, "w");
  try {
    let bytes = 0;
    for await (const chunk of await chunks()) {
      bytes += chunk.length;
      if (bytes > jar.bytes)
        throw new InstallError(
          `the file ${jar.path} is larger than the ${jar.bytes} bytes that it should have`,
        );
      await file.write(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** undefined when there is no such file. */
export async function digestOf(file: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
  return hash.digest("hex");
}

function reason(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOSPC") return "the disk is full";
  return message || code || String(cause);
}
