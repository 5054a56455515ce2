/**
 * A Lambda function's deployment package, as its user would zip it: one module, other files beside it, and the npm
 * packages that the module needs, each with everything that it depends on by the lockfile.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-package.html
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { type Zippable, zipSync } from "fflate";
import { ROOT } from "../../tests/sources.ts";

export interface Parts {
  /** The module's file; it gets to the top of the package. */
  readonly module: string;
  /** npm packages that it imports. */
  readonly needs: readonly string[];
  /** More files, by name. */
  readonly beside: Readonly<Record<string, string>>;
}

/** The bytes of the zip archive. */
export function deploymentPackage({ module, needs, beside }: Parts): Uint8Array {
  const files: Zippable = { [basename(module)]: readFileSync(module) };
  for (const [name, text] of Object.entries(beside)) files[name] = Buffer.from(text);
  for (const folder of closureOf(needs))
    for (const file of programFiles(join(ROOT, folder))) files[relative(ROOT, file)] = readFileSync(file);
  return zipSync(files, { level: 1 });
}

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Folders of packages, from the root: `node_modules/ajv`. */
function closureOf(needs: readonly string[]): Set<string> {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  const packages: Readonly<Record<string, Locked>> = lock.packages;
  const found = new Set<string>();
  const add = (name: string, from: string) => {
    const folder = resolved(packages, name, from);
    if (found.has(folder)) return;
    found.add(folder);
    for (const needed of Object.keys(packages[folder]?.dependencies ?? {})) add(needed, folder);
  };
  for (const name of needs) add(name, "");
  return found;
}

/** As Node looks for it: in the importer's own `node_modules`, then further out. */
function resolved(packages: Readonly<Record<string, Locked>>, name: string, from: string): string {
  const folder = from === "" ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (packages[folder]) return folder;
  if (from === "") throw new Error(`${name} is not in package-lock.json`);
  return resolved(packages, name, from.slice(0, Math.max(0, from.lastIndexOf("/node_modules/"))));
}

/** Types and maps are for who writes. */
function programFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.([cm]?js|json|wasm)$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name));
}
