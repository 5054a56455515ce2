/**
 * Databases in memory for tests, each begun with a copy of an empty one: to make one from nothing takes four times as
 * long. The copy lies beside the installed packages, under PGlite's version, and is made by whoever needs it first.
 */
import * as fs from "node:fs";
import path from "node:path";
import { PGlite } from "@electric-sql/pglite";
import type { Driver } from "../driver.ts";
import { embeddedInMemory } from "../embedded.ts";

const PACKAGES = path.join(import.meta.dirname, "../../../node_modules");
const CACHE = path.join(PACKAGES, ".cache/letsdata");

/** Empty, without a schema. */
export async function memoryDriver(): Promise<Driver> {
  return embeddedInMemory(await empty());
}

async function empty(): Promise<Blob> {
  const manifest = fs.readFileSync(path.join(PACKAGES, "@electric-sql/pglite/package.json"), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  const file = path.join(CACHE, `pglite-${version}.tar`);
  if (!fs.existsSync(file)) await make(file);
  return fs.openAsBlob(file);
}

/** Several processes may make it at once: each puts a whole one in its place. */
async function make(file: string): Promise<void> {
  const pglite = await PGlite.create();
  const dump = await pglite.dumpDataDir("none");
  await pglite.close();
  fs.mkdirSync(CACHE, { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  fs.writeFileSync(unfinished, Buffer.from(await dump.arrayBuffer()));
  fs.renameSync(unfinished, file);
}
