/**
 * IPv4 blocks in CIDR notation. Promises that a `Cidr` is a network address with its mask, written the one
 * canonical way, so that two equal blocks are equal strings. Refuses host bits, leading zeros and anything
 * else that would have to be guessed. Imports nothing: the sandbox shares this file with the product.
 */

declare const brand: unique symbol;

/** A canonical IPv4 block such as `10.4.8.0/25`; only this file makes one. */
export type Cidr = string & { readonly [brand]: "cidr" };

/** Half-open run of addresses `[first, end)` as unsigned 32-bit numbers. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

export type ParsedCidr = { readonly cidr: Cidr } | { readonly problem: string; readonly canonical?: Cidr };

const SHAPE = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/;

/** Reads a block strictly; a problem says what is wrong, and `canonical` what was probably meant. */
export function parseCidr(text: string): ParsedCidr {
  const match = SHAPE.exec(text);
  if (!match) return { problem: `"${text}" is not an IPv4 block: write it as a.b.c.d/length` };
  const parts = match.slice(1).map(Number);
  const [a = 0, b = 0, c = 0, d = 0, length = 0] = parts;
  if (match.slice(1).some((part) => part.length > 1 && part.startsWith("0")))
    return { problem: `"${text}" has a number with a leading zero` };
  if ([a, b, c, d].some((octet) => octet > 255))
    return { problem: `"${text}" has a number above 255 in its address` };
  if (length > 32) return { problem: `"${text}" has a mask longer than /32` };
  const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const canonical = cidrAt(address, length);
  if (canonical !== text)
    return { problem: `"${text}" has host bits set: the block is ${canonical}`, canonical };
  return { cidr: canonical };
}

/** For literals and values already checked; throws a RangeError on anything `parseCidr` refuses. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if ("cidr" in parsed) return parsed.cidr;
  throw new RangeError(parsed.problem);
}

/** The block of `length` bits that holds `address`. */
export function cidrAt(address: number, length: number): Cidr {
  const size = 2 ** (32 - length);
  return `${addressText(Math.floor(address / size) * size)}/${length}` as Cidr;
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** The address as an unsigned 32-bit number, or undefined when the text is not an IPv4 address. */
export function addressNumber(text: string): number | undefined {
  const parsed = parseCidr(`${text}/32`);
  return "cidr" in parsed ? span(parsed.cidr).first : undefined;
}

export function maskLength(block: Cidr): number {
  return Number(block.slice(block.indexOf("/") + 1));
}

export function span(block: Cidr): Span {
  const [a = 0, b = 0, c = 0, d = 0] = block.slice(0, block.indexOf("/")).split(".").map(Number);
  const first = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  return { first, end: first + 2 ** (32 - maskLength(block)) };
}

/** Number of addresses in the block. */
export function addressCount(block: Cidr): number {
  return 2 ** (32 - maskLength(block));
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  const x = span(a);
  const y = span(b);
  return x.first < y.end && y.first < x.end;
}

/** True when every address of `inner` is one of `outer`'s. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  const x = span(outer);
  const y = span(inner);
  return x.first <= y.first && y.end <= x.end;
}

/** Lowest address first, then the larger block first. */
export function compareCidrs(a: Cidr, b: Cidr): number {
  return span(a).first - span(b).first || maskLength(a) - maskLength(b);
}

const NOT_ROUTED_ON_THE_INTERNET = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map(
  cidr,
);

/**
 * True for blocks wholly inside RFC 1918 space or the shared space of RFC 6598. A route to anything else
 * would take our own traffic to the internet away.
 */
export function isPrivate(block: Cidr): boolean {
  return NOT_ROUTED_ON_THE_INTERNET.some((space) => contains(space, block));
}
