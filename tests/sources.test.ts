import assert from "node:assert/strict";
import { test } from "node:test";
import { importsIn, readSources, scan } from "./sources.ts";

/** `§` stands for the dollar sign, which means something in the strings of this file too. */
const scanned = (...lines: string[]) => scan(lines.join("\n").replaceAll("§", "$"));

test("imports of every form are seen, and none in comments, strings and templates", () => {
  const { code, strings } = scanned(
    'import a from "./a.ts";',
    "import type { B } from './b.ts'; // import c from './no.ts'",
    'export { d } from "./d.ts";',
    'const e = await import("./e.ts");',
    'type F = import("./f.ts").F;',
    'import "./g.ts";',
    "const h = \"import x from './no.ts'\";",
    "const i = `import y from './no.ts' §{'x'} don't`;",
    "/* import z from './no.ts' */",
    'const j = /["\'`]/.test("x") ? 4 / 2 : 6 / 3;',
    "const k = `a §{x ? `b §{{ y: '}' }.y} \"` : ''} it's`;",
    'import l from "./l.ts";',
  );
  assert.deepEqual(importsIn(code, strings), [
    "./a.ts",
    "./b.ts",
    "./d.ts",
    "./e.ts",
    "./f.ts",
    "./g.ts",
    "./l.ts",
  ]);
});

test("words are seen in code and in substitutions, on their line, and not in prose", () => {
  const { code } = scanned(
    "// performance.now",
    "const a = `Math.random",
    "§{Date.now()} Math.random`;",
    "const b = 'console.log';",
  );
  assert.doesNotMatch(code, /Math|console|performance/);
  assert.equal(code.slice(0, code.indexOf("Date.now")).split("\n").length, 3);
});

test("text between JSX tags does not swallow the lines after it", () => {
  const { code } = scanned("const a = <p>don't</p>;", "const b = Date.now();", "const c = <br />;");
  assert.match(code, /Date\.now/);
});

test("every file of the product is scanned to its end", () => {
  for (const source of readSources("src"))
    assert.equal(source.code.split("\n").length - 1, source.lines, source.path);
});
