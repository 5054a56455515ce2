/**
 * Kafka's own protocol, as far as it is spoken here: one request on a connection, and its answer read bit by bit.
 * Promises to read an answer or to throw. https://kafka.apache.org/protocol.html; all versions used are "flexible":
 * lengths are varints of the length and one, and each structure ends with its tagged fields, of which we have none.
 */
import type net from "node:net";

export const NO_TAGS = Buffer.from([0]);

function varint(value: number): Buffer {
  const out: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...out, rest]);
    out.push((rest & 0x7f) | 0x80);
  }
}

export const bytes = (value: Buffer) => Buffer.concat([varint(value.length + 1), value]);
export const text = (value: string) => bytes(Buffer.from(value));
export const int32 = (value: number) => {
  const out = Buffer.alloc(4);
  out.writeInt32BE(value);
  return out;
};
export const array = (items: readonly Buffer[]) => Buffer.concat([varint(items.length + 1), ...items]);

/** Which request it is, of a version that is flexible. */
export interface Api {
  readonly key: number;
  readonly version: number;
}

export async function ask(socket: net.Socket, { key, version }: Api, body: Buffer): Promise<Answer> {
  const head = Buffer.alloc(10);
  head.writeInt16BE(key);
  head.writeInt16BE(version, 2);
  head.writeInt32BE(key, 4);
  // No client id.
  head.writeInt16BE(-1, 8);
  const request = Buffer.concat([head, NO_TAGS, body]);
  const length = Buffer.alloc(4);
  length.writeInt32BE(request.length);
  socket.write(Buffer.concat([length, request]));
  const answer = new Answer(await oneMessage(socket));
  if (answer.int32() !== key) throw new Error("the broker answers another request");
  answer.tags();
  return answer;
}

function oneMessage(socket: net.Socket): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let got = Buffer.alloc(0);
  const take = (chunk: Buffer) => {
    got = Buffer.concat([got, chunk]);
    if (got.length >= 4 && got.length >= 4 + got.readInt32BE()) resolve(got.subarray(4));
  };
  const fail = () => reject(new Error("the broker closed the connection"));
  socket.on("data", take).once("close", fail).once("error", reject);
  return promise.finally(() => socket.off("data", take).off("close", fail).off("error", reject));
}

/** Reads on and on. */
export class Answer {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int8(): number {
    return this.#buffer.readInt8(this.#skip(1));
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#skip(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#skip(4));
  }

  skip(bytes: number): void {
    this.#skip(bytes);
  }

  /** Numbers of four bytes; they have no tagged fields. */
  int32s(): number[] {
    return Array.from({ length: Math.max(0, this.#varint() - 1) }, () => this.int32());
  }

  /** Empty for none. */
  text(): string {
    const length = Math.max(0, this.#varint() - 1);
    const at = this.#skip(length);
    return this.#buffer.toString("utf8", at, at + length);
  }

  array<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(0, this.#varint() - 1) }, () => {
      const read = item();
      this.tags();
      return read;
    });
  }

  /** Tagged fields are for those who know them. */
  tags(): void {
    for (let left = this.#varint(); left > 0; left--) {
      this.#varint();
      this.#skip(this.#varint());
    }
  }

  /** Throws for an error: its number, and the message that follows it. */
  check(what = "the request"): void {
    const code = this.int16();
    const message = this.text();
    if (code !== 0) throw new Error(`Kafka refuses ${what}: ${message || `error ${code}`}`);
  }

  #skip(length: number): number {
    const at = this.#at;
    this.#at += length;
    return at;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#buffer.readUInt8(this.#skip(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
}
