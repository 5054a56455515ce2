import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { openapi } from "./openapi.ts";
import { allOperations } from "./operations.ts";

type Json = Record<string, unknown>;

const document = openapi();
const paths = document.paths as Record<string, Record<string, Json>>;

function every(value: unknown, visit: (object: Json) => void): void {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) visit(value as Json);
  for (const inner of Object.values(value)) every(inner, visit);
}

function at(pointer: string): unknown {
  assert.ok(pointer.startsWith("#/"), pointer);
  return pointer
    .slice(2)
    .split("/")
    .reduce<unknown>((value, part) => (value as Json | undefined)?.[part], document);
}

test("openapi.json is what the table says", () => {
  const written = readFileSync(new URL("../../openapi.json", import.meta.url), "utf8");
  assert.equal(written, `${JSON.stringify(document, null, 2)}\n`, "run: node scripts/openapi.ts");
});

describe("the document", () => {
  test("has every operation, under its own id", () => {
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    assert.equal(new Set(ids).size, ids.length);
    for (const [id, { method, path }] of allOperations)
      assert.equal(paths[path]?.[method.toLowerCase()]?.operationId, id);
  });

  test("refers to nothing that is not there", () => {
    every(document, ({ $ref }) => {
      if (typeof $ref === "string") assert.notEqual(at($ref), undefined, $ref);
    });
  });

  test("declares every part of a path, once", () => {
    for (const [path, methods] of Object.entries(paths)) {
      const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
      for (const operation of Object.values(methods)) {
        const declared = ((operation.parameters ?? []) as Json[])
          .filter(({ in: place }) => place === "path")
          .map(({ name }) => name)
          .sort();
        assert.deepEqual(declared, parts, path);
      }
    }
  });

  test("says of every operation how it refuses", () => {
    for (const [id, { method, path, idempotent }] of allOperations) {
      const operation = paths[path]?.[method.toLowerCase()];
      const statuses = Object.keys(operation?.responses ?? {});
      for (const status of ["401", "403", "503", "500"])
        assert.ok(statuses.includes(status), `${id} ${status}`);
      const offered = JSON.stringify(operation?.parameters).includes("IdempotencyKey");
      assert.equal(offered, idempotent, id);
    }
  });

  test("describes every parameter", () => {
    for (const methods of Object.values(paths))
      for (const { operationId, parameters } of Object.values(methods))
        for (const parameter of (parameters ?? []) as Json[])
          assert.ok(parameter.$ref ?? parameter.description, `${operationId} ${parameter.name}`);
  });
});
