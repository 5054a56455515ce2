/**
 * The price table that an operator wrote, read and checked whole. Refuses with `invalid`, naming the file, the
 * field and what is wrong with it.
 */
import { Failure } from "../domain/failure.ts";
import { type PriceTable, parsePrices } from "../network/prices.ts";

/** `file` is for the messages alone. */
export function pricesFrom(text: string, file: string): PriceTable {
  const parsed = parsePrices(fromJson(text, file));
  if (parsed.kind === "prices") return parsed.prices;
  const { at, problem } = parsed;
  throw new Failure("invalid", `Prices file ${file}: ${at === "" ? "it" : at} ${problem}`, {
    hint: "examples/prices.json is the table that is built in: begin with a copy of it.",
  });
}

function fromJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Failure("invalid", `Prices file ${file} is not JSON: ${why}`, { cause: thrown });
  }
}
