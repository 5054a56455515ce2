/** Moments as they cross the API: ISO 8601 in UTC, with milliseconds. */

export function iso(moment: number): string {
  return new Date(moment).toISOString();
}

export function isoOrNull(moment: number | null): string | null {
  return moment === null ? null : iso(moment);
}
