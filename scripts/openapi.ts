/** Writes openapi.json from the table of operations; the tests fail while it is stale. */
import { writeFileSync } from "node:fs";
import { openapi } from "../src/contract/openapi.ts";

writeFileSync(new URL("../openapi.json", import.meta.url), `${JSON.stringify(openapi(), null, 2)}\n`);
console.log("openapi.json is written");
