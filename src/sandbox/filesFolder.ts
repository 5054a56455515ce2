/**
 * The folder of everything that is kept beside the state: brokers' disks, functions' code. Where the state is kept in
 * memory only, a folder of its own that goes with the sandbox.
 */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export interface FilesFolder {
  /** Made by who first writes there. */
  readonly folder: string;
  /** After everything else. */
  remove(): void;
}

export function filesFolder(dataDir: string | undefined): FilesFolder {
  if (dataDir !== undefined) return { folder: path.resolve(dataDir), remove: () => {} };
  const folder = path.join(tmpdir(), `letsdata-sandbox-${randomUUID()}`);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }) };
}
