/**
 * A function's code as it is uploaded: a zip archive. Promises that what it unpacks stays below its folder and is
 * files alone: a symbolic link comes out as a file with its target in it. Refuses, with a reason, what is no
 * archive or a damaged one, what is larger unpacked than Lambda allows (judged before anything is unpacked), and names
 * that lead out of the folder or that two entries cannot both have.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
import { crc32 } from "node:zlib";
import { unzipSync } from "fflate";

/** Of all files together, in bytes. */
export const UNPACKED_LIMIT = 262_144_000;

export class ArchiveError extends Error {
  /** Whether it is an archive, and only its size is wrong. */
  readonly isTooLarge: boolean;

  constructor(message: string, isTooLarge = false) {
    super(message);
    this.isTooLarge = isTooLarge;
  }
}

export interface ArchivedFile {
  /** With slashes, from the folder's root: `lib/index.js`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** All its files. Throws an ArchiveError. */
export function filesIn(zip: Uint8Array): ArchivedFile[] {
  const sums = checksumsIn(Buffer.from(zip));
  const names = new Map<string, number | undefined>();
  let size = 0;
  const entries = opened(zip, (entry) => {
    // A stored entry is as large as it is in the archive, whatever it says.
    size += Math.max(entry.originalSize, entry.compression === 0 ? entry.size : 0);
    if (size > UNPACKED_LIMIT) throw new ArchiveError(`it is larger than ${UNPACKED_LIMIT} bytes`, true);
    const isFolder = entry.name.endsWith("/");
    const name = checkedName(isFolder ? entry.name.slice(0, -1) : entry.name);
    const sum = sums.shift();
    if (!isFolder) names.set(name, sum);
    return !isFolder;
  });
  checkFolders(new Set(names.keys()));
  return [...names].map(([name, sum]) => ({ name, bytes: whole(name, entries.get(name), sum) }));
}

/** What is unpacked may be damaged, or another size than it says: only the checksum tells. */
function whole(name: string, bytes: Uint8Array | undefined, sum: number | undefined): Uint8Array {
  if (bytes && crc32(bytes) === sum) return bytes;
  throw new ArchiveError(`${name} is damaged in it`);
}

/** Those of the entries, in their order: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 and 4.3.16 */
function checksumsIn(zip: Buffer): number[] {
  const end = zip.lastIndexOf("PK\x05\x06", undefined, "latin1");
  const sums: number[] = [];
  if (end < 0 || end + 20 > zip.length) return sums;
  let at = zip.readUInt32LE(end + 16);
  while (at + 46 <= zip.length && zip.readUInt32LE(at) === DIRECTORY_ENTRY) {
    sums.push(zip.readUInt32LE(at + 16));
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return sums;
}

const DIRECTORY_ENTRY = 0x02014b50;

type Entry = Parameters<NonNullable<NonNullable<Parameters<typeof unzipSync>[1]>["filter"]>>[0];

function opened(zip: Uint8Array, filter: (entry: Entry) => boolean): ReadonlyMap<string, Uint8Array> {
  try {
    return new Map(Object.entries(unzipSync(zip, { filter })));
  } catch (thrown) {
    if (thrown instanceof ArchiveError) throw thrown;
    throw new ArchiveError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** What file systems allow. */
const MAX_PART = 255;

function checkedName(name: string): string {
  const parts = name.split("/");
  const isBad = (part: string) => part === "" || part === "." || part === ".." || part.length > MAX_PART;
  if (/[\0\\]/.test(name) || /^[A-Za-z]:/.test(name) || parts.some(isBad))
    throw new ArchiveError(`it has an entry that cannot be unpacked: ${JSON.stringify(name.slice(0, 100))}`);
  return name;
}

/** A file cannot be a folder as well. */
function checkFolders(names: ReadonlySet<string>): void {
  for (const name of names)
    for (let at = name.lastIndexOf("/"); at > 0; at = name.lastIndexOf("/", at - 1))
      if (names.has(name.slice(0, at)))
        throw new ArchiveError(`${name.slice(0, at)} is a file and a folder in it`);
}
