/**
 * The walls of the house. Reads every source file and checks what it imports, what it is called, how long it
 * is, and that clock, chance, environment and console stay where they belong. Type imports count like any
 * other: a circle of types is a circle. Unit tests may reach over walls; nothing may reach into a test.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { importedFile, ROOT, readSources, type Source } from "./sources.ts";

interface Wall {
  /** Rooms, or single files, of this house. Its own room is always open. */
  readonly rooms: readonly string[];
  /** Packages; `@scope/*` is a whole scope, `node:*` everything of Node. */
  readonly packages: readonly string[];
  readonly because: string;
}

const WALLS: Readonly<Record<string, Wall>> = {
  domain: { rooms: [], packages: [], because: "words that reach up end in one big circle" },
  network: {
    rooms: ["domain"],
    packages: [],
    because: "it must be callable in a test with three literals",
  },
  contract: { rooms: ["domain"], packages: ["zod"], because: "the promise knows no implementation" },
  store: {
    rooms: ["domain"],
    packages: ["kysely", "kysely/*", "pg", "@electric-sql/*", "node:*"],
    because: "SQL lives here, and nothing else does",
  },
  cloud: {
    rooms: ["domain"],
    packages: ["@aws-sdk/*", "@smithy/*", "node:*"],
    because: "hands do not think",
  },
  sandbox: {
    rooms: ["domain/cidr.ts"],
    packages: ["@aws-sdk/*", "@smithy/*", "dns-packet", "fflate", "node-forge", "node:*"],
    because: "a fake that shares code with what it tests agrees with its bugs",
  },
  control: {
    rooms: ["domain", "network", "store", "cloud/cloud.ts"],
    packages: ["node:crypto"],
    because: "the will does not know whose hands",
  },
  api: {
    rooms: ["contract", "control", "store", "domain"],
    packages: ["hono", "hono/*", "@hono/*", "jsonc-parser", "zod", "node:*"],
    because: "reads go straight to the store, writes through the will, and none to the cloud",
  },
  cli: {
    rooms: ["contract", "domain/failure.ts"],
    packages: ["@stricli/*", "cli-table3", "jsonc-parser", "zod", "node:*"],
    because: "a client has no special rights",
  },
  web: {
    rooms: ["contract", "domain/failure.ts"],
    packages: ["*"],
    because: "a client has no special rights",
  },
};

/** What puts the rooms together. Clock, chance, environment and console stay in main.ts all the same. */
const COMPOSITION = ["src/main.ts", "src/serve.ts", "src/sandboxGroup.ts"];

/** Files over 350 lines, each with the reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};

const LONGEST = 350;

const BAD_NAMES = ["index", "util", "utils", "helper", "helpers", "common", "manager", "service"];

const sources = [...readSources("src"), ...readSources("web")];
const product = sources.filter((source) => !source.isTest);
const byPath = new Map(sources.map((source) => [source.path, source]));

function packageIsOpen(specifier: string, open: readonly string[]): boolean {
  return open.some((entry) =>
    entry.endsWith("*") ? specifier.startsWith(entry.slice(0, -1)) : specifier === entry,
  );
}

/** What is wrong with one import, or null. */
function trespass(source: Source, specifier: string): string | null {
  const wall = WALLS[source.room];
  if (!wall) return null;
  const file = importedFile(source, specifier);
  if (file === null)
    return packageIsOpen(specifier, wall.packages) ? null : `${source.room} takes no package ${specifier}`;
  if (source.room === "web" && !file.startsWith("src/")) return null;
  const inside = file.replace(/^src\//, "");
  if (inside.startsWith(`${source.room}/`)) return null;
  const isOpen = wall.rooms.some((room) => inside === room || inside.startsWith(`${room}/`));
  return isOpen ? null : `${source.room} may not import ${file}`;
}

/** One line per finding, so that a failure reads like a list of what to move. */
function nothing(findings: readonly string[]): void {
  assert.deepEqual(findings, []);
}

function finding(files: readonly Source[], found: (source: Source) => readonly string[]): string[] {
  return files.flatMap((source) => found(source).map((text) => `${source.path}: ${text}`));
}

function lineOf(code: string, at: number): number {
  return code.slice(0, at).split("\n").length;
}

function words(source: Source, pattern: RegExp): string[] {
  return [...source.code.matchAll(pattern)].map(
    (match) => `${match[0].trim()} in line ${lineOf(source.code, match.index)}`,
  );
}

/** True when the file declares nothing that it exports. */
function onlyPassesOn(code: string): boolean {
  const passesOn = /\bexport\s+(?:type\s+)?\{[^}]*\}\s*from\b/.test(code);
  return passesOn && !/\bexport\s+(?:async|const|let|function|class|abstract|interface|type\s+\w)/.test(code);
}

describe("walls", () => {
  test("there is something to look at", () => assert.ok(sources.length > 5));

  for (const [room, wall] of Object.entries(WALLS))
    test(`${room}: ${wall.because}`, () => {
      const files = product.filter((source) => source.room === room);
      nothing(
        finding(files, (source) => source.imports.flatMap((specifier) => trespass(source, specifier) ?? [])),
      );
    });

  test("every file stands in a room of the plan", () =>
    nothing(
      product
        .map((source) => source.path)
        .filter((file) => !COMPOSITION.includes(file) && !(WALLS[byPath.get(file)?.room ?? ""] ?? null)),
    ));

  test("nobody imports main.ts", () =>
    nothing(
      finding(sources, (source) =>
        source.imports.filter((specifier) => importedFile(source, specifier) === "src/main.ts"),
      ),
    ));

  test("only the composition reaches the provider's hands and the sandbox", () =>
    nothing(
      finding(
        product.filter((source) => !COMPOSITION.includes(source.path)),
        (source) =>
          source.imports.filter((specifier) => {
            const file = importedFile(source, specifier) ?? "";
            const isOwn = file.startsWith(`src/${source.room}/`);
            return !isOwn && /^src\/(cloud\/aws|sandbox)\//.test(file);
          }),
      ),
    ));

  test("nothing that runs reaches into a test", () =>
    nothing(
      finding(product, (source) =>
        source.imports.filter(
          (specifier) =>
            byPath.get(importedFile(source, specifier) ?? "")?.isTest ||
            /^(node:test|node:assert|fast-check)/.test(specifier),
        ),
      ),
    ));

  test("every import of a file names a file that is there, with its ending", () =>
    nothing(
      finding(sources, (source) =>
        source.imports.filter((specifier) => {
          const file = importedFile(source, specifier);
          return file !== null && !existsSync(path.join(ROOT, file));
        }),
      ),
    ));
});

test("no circles between files", () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) circles.push([...trail.slice(at), file].join(" → "));
    if (at >= 0 || done.has(file)) return;
    const source = byPath.get(file);
    for (const specifier of source?.imports ?? []) {
      const next = source ? importedFile(source, specifier) : null;
      if (next !== null && byPath.has(next)) visit(next, [...trail, file]);
    }
    done.add(file);
  };
  for (const source of sources) visit(source.path, []);
  nothing(circles);
});

describe("files", () => {
  test("no barrels", () =>
    nothing(
      sources
        .filter(({ code }) => /\bexport\s+(?:type\s+)?\*/.test(code) || onlyPassesOn(code))
        .map((source) => source.path),
    ));

  test("no names that say nothing", () =>
    nothing(
      sources
        .map((source) => source.path)
        .filter((file) => {
          const parts = file.replace(/(\.test)?\.\w+$/, "").split("/");
          const lastWords = parts.map((part) => part.split(/[-_.]|(?=[A-Z])/).at(-1) ?? "");
          return [...parts, ...lastWords].some((word) => BAD_NAMES.includes(word.toLowerCase()));
        }),
    ));

  test(`over ${LONGEST} lines only with a reason`, () =>
    nothing(
      sources
        .filter((source) => source.lines > LONGEST && !LONG_FILES[source.path])
        .map((source) => `${source.path}: ${source.lines} lines`),
    ));

  test("no reason is kept for a file that is short by now", () =>
    nothing(Object.keys(LONG_FILES).filter((file) => (byPath.get(file)?.lines ?? 0) <= LONGEST)));
});

/** A program of its own: the process of somebody's function, whose clock, environment and console are that function's. */
const OTHER_PROGRAM = "src/sandbox/functions/environment.runtime.ts";

describe("only main.ts", () => {
  const mains = ["src/main.ts", OTHER_PROGRAM];
  const inSrc = product.filter((source) => source.room !== "web" && !mains.includes(source.path));
  /** Tests, and what exists for them alone, make their own clocks. */
  const clock =
    /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|(?![\w(\s]))|(?<![\w.])(?:globalThis\s*\.\s*)?set(?:Timeout|Interval)\b|\bperformance\s*\.\s*now\b|\bhrtime\b/g;

  test("reads the environment and writes to the console", () => {
    nothing(finding(inSrc, (source) => words(source, /\bprocess\s*\.\s*env\b|\bconsole\s*\.\s*\w+/g)));
    nothing(
      finding(inSrc, (source) =>
        source.imports.filter((specifier) => /^(node:)?(process|console)$/.test(specifier)),
      ),
    );
  });

  test("looks at the clock; everybody else is handed one", () => {
    nothing(finding(inSrc, (source) => words(source, clock)));
    nothing(
      finding(inSrc, (source) =>
        source.imports.filter((specifier) => /^(node:)?perf_hooks$/.test(specifier)),
      ),
    );
  });

  test("waits by the clock it was handed, where waiting must be driven by tests", () => {
    const driven = ["domain", "network", "store", "cloud", "control", "sandbox"];
    const files = inSrc.filter((source) => driven.includes(source.room));
    nothing(finding(files, (source) => words(source, /\bAbortSignal\s*\.\s*timeout\b/g)));
  });

  test("throws dice by Math.random; and thinking, words and hands know no chance at all", () => {
    nothing(finding(inSrc, (source) => words(source, /\bMath\s*\.\s*random\b/g)));
    const certain = inSrc.filter((source) => ["domain", "network", "cloud"].includes(source.room));
    nothing(
      finding(certain, (source) =>
        words(source, /\brandom(?:UUID|Bytes|Int|FillSync)\b|\bgetRandomValues\b/g),
      ),
    );
  });

  test("knows the provider beside the hands: thinking has no word of it", () => {
    const thinking = inSrc.filter((source) => source.room === "network");
    nothing(
      finding(thinking, (source) => words(source, /\b\w*(?:aws|Aws|AWS|ec2|Ec2|EC2|amazon|Amazon)\w*\b/g)),
    );
  });
});
