/**
 * How column values become JavaScript values: one table for both drivers, which disagree otherwise. A type
 * that is not named here arrives as PostgreSQL writes it, as text. Refuses an int8 that a number cannot hold.
 */

/** Type numbers of PostgreSQL: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat */
export const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === "t" || text === "true",
  20: wholeNumber,
  21: Number,
  23: Number,
  26: Number,
  114: (text) => JSON.parse(text),
  700: Number,
  701: Number,
  3802: (text) => JSON.parse(text),
  // The drivers' own ideas of these differ: bytea, date, timestamp, timestamptz, interval.
  17: asText,
  1082: asText,
  1114: asText,
  1184: asText,
  1186: asText,
};

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 beyond 2^53: ${text}`);
  return value;
}

export function asText(text: string): string {
  return text;
}
