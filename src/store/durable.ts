/**
 * Makes the embedded database's commits reach the disk. Three things are needed together: no `-F` among its
 * start parameters (it is there by default and turns fsync off), `wal_sync_method=fsync` (Emscripten's
 * fdatasync is an empty stub), and an fsync operation on Emscripten's NODEFS streams (it has none, and the
 * call succeeds silently). Promises that a commit is answered only when the disk has it; `proveDurable`
 * shows so at every start, so that an upgrade cannot take it away unnoticed.
 */
import * as fs from "node:fs";
import path from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { Failure } from "../domain/failure.ts";

/** Emscripten's number for EIO. */
const EIO = 29;

type EmscriptenOptions = Awaited<ReturnType<NodeFS["init"]>>["emscriptenOpts"];
type EmscriptenModule = Parameters<NonNullable<EmscriptenOptions["preRun"]>[number]>[0];

interface NodeStream {
  /** Absent for a folder: NODEFS opens no descriptor for it. */
  readonly nfd?: number;
  readonly node: unknown;
}

interface NodeFilesystem {
  readonly stream_ops: { fsync?: (stream: NodeStream) => number };
  realPath(node: unknown): string;
}

/** Start parameters under which the server asks for fsync at all. */
export function durableStartParams(): string[] {
  return [...PGlite.defaultStartParams.filter((param) => param !== "-F"), "-c", "wal_sync_method=fsync"];
}

/** NODEFS whose fsync reaches the disk. */
export class DurableNodeFS extends NodeFS {
  /** How many files were forced to the disk so far. */
  syncs = 0;

  override async init(...args: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const made = await super.init(...args);
    const hook = (module: EmscriptenModule) => {
      const nodefs = nodeFilesystem(module);
      nodefs.stream_ops.fsync = (stream) => this.#sync(nodefs, stream);
    };
    made.emscriptenOpts.preRun = [...(made.emscriptenOpts.preRun ?? []), hook];
    return made;
  }

  #sync(nodefs: NodeFilesystem, stream: NodeStream): number {
    try {
      if (stream.nfd === undefined) fsyncPath(nodefs.realPath(stream.node));
      else fs.fsyncSync(stream.nfd);
      this.syncs++;
      return 0;
    } catch {
      return EIO;
    }
  }
}

function nodeFilesystem(module: EmscriptenModule): NodeFilesystem {
  const known: unknown = Reflect.get(module.FS, "filesystems");
  const inside = typeof known === "object" && known !== null ? Reflect.get(known, "NODEFS") : undefined;
  return (inside ?? module.NODEFS) as NodeFilesystem;
}

/** Commits once and looks whether an fsync came of it; `files` counts them. Rejects with `internal`. */
export async function proveDurable(pglite: PGlite, files: { readonly syncs: number }): Promise<void> {
  const before = files.syncs;
  await pglite.query("select pg_logical_emit_message(true, 'letsdata', 'does a commit reach the disk?')");
  if (files.syncs > before) return;
  throw new Failure("internal", "The embedded database does not write its commits to the disk", {
    hint: "Do not use this version of @electric-sql/pglite; go back to the one in package-lock.json.",
  });
}

/** Forces a whole tree to the disk, deepest first: what creates a database copies files without any fsync. */
export function fsyncTree(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const inside = path.join(folder, entry.name);
    if (entry.isDirectory()) fsyncTree(inside);
    else if (entry.isFile()) fsyncPath(inside);
  }
  fsyncPath(folder);
}

export function fsyncPath(file: string): void {
  const descriptor = fs.openSync(file, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
