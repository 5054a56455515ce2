/** How long a wait may take, as people write it, and how long it took, as people read it. */
import { Failure } from "../domain/failure.ts";

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

/** `90`, `90s`, `10m`, `1h30m` in seconds. Throws `invalid`. */
export function seconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const parts = [...text.matchAll(/(\d+)([hms])/g)];
  const whole = parts.map(([part]) => part).join("");
  if (parts.length === 0 || whole !== text)
    throw new Failure("invalid", `--timeout: "${text}" is not a length of time`, {
      hint: "Write it as 90s, 10m, 1h30m, or as a number of seconds.",
    });
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? "s"] ?? 1), 0);
}

/** Milliseconds as `42s`, `3m20s`, `1h05m`, `6d23h`. */
export function elapsed(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  if (total < 60) return `${total}s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return total % 60 === 0 ? `${minutes}m` : `${minutes}m${two(total % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}
