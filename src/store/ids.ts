/**
 * Names that never change and are never used twice. Promises lower-case letters and digits only, which are
 * allowed in AWS tags, names and URLs alike, and 80 random bits.
 */
import { randomBytes, randomInt } from "node:crypto";

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const LETTERS_AND_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789";

export type IdPrefix = "ten" | "key" | "ds" | "net" | "cell" | "aud" | "swp" | "prb";

/** Such as `net_k3wq7…`: the prefix, then 16 characters. */
export function newId(prefix: IdPrefix): string {
  const characters = Array.from(randomBytes(16), (byte) => BASE32[byte & 31]);
  return `${prefix}_${characters.join("")}`;
}

/** The name of an installation: 12 lower-case letters and digits. */
export function newInstallation(): string {
  return Array.from({ length: 12 }, () => LETTERS_AND_DIGITS[randomInt(36)]).join("");
}
