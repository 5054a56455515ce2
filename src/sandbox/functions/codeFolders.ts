/**
 * Functions' code on this machine's disk, unpacked when it is first run. Promises that a folder is whole or not
 * there, that nothing outside of it decides how its modules are read, and that nothing is left of code that is gone.
 *
 *   <root>/package.json          ends Node's search for the kind of a module
 *   <root>/code-0a1b…/index.js
 */
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { filesIn } from "./archive.ts";

const SCOPE = "package.json";

export class CodeFolders {
  readonly #root: string;
  readonly #ready = new Map<string, Promise<string>>();
  #hasLooked = false;

  constructor(root: string) {
    this.#root = root;
  }

  /** The code's folder; unpacks it when it is not there. Rejects with the system's error when the disk refuses. */
  of(codeId: string, zip: () => Uint8Array): Promise<string> {
    const known = this.#ready.get(codeId);
    if (known) return known;
    const made = this.#unpack(codeId, zip());
    this.#ready.set(codeId, made);
    made.catch(() => this.#ready.delete(codeId));
    return made;
  }

  /** Takes away what is there of all others: at first by the disk, then by what was unpacked here. */
  async keep(isThere: (codeId: string) => boolean): Promise<void> {
    const names = this.#hasLooked ? [...this.#ready.keys()] : await readdir(this.#root).catch(() => []);
    this.#hasLooked = true;
    for (const name of names.filter((one) => one !== SCOPE && !isThere(one))) {
      this.#ready.delete(name);
      await rm(path.join(this.#root, name), { recursive: true, force: true, maxRetries: 3 });
    }
  }

  async #unpack(codeId: string, zip: Uint8Array): Promise<string> {
    const folder = path.join(this.#root, codeId);
    const unfinished = folder + UNFINISHED;
    for (const old of [folder, unfinished]) await rm(old, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    await writeFile(path.join(this.#root, SCOPE), "{}\n");
    for (const { name, bytes } of filesIn(zip)) {
      const file = path.join(unfinished, name);
      await mkdir(path.dirname(file), { recursive: true });
      // Programs may be among them; the archive's own permissions are not read.
      await writeFile(file, bytes, { mode: 0o755 });
    }
    await rename(unfinished, folder);
    return folder;
  }
}

const UNFINISHED = ".unfinished";
