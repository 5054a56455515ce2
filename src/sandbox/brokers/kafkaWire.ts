/**
 * The few requests of Kafka's own protocol that its keeper makes: which brokers serve, and who may come in by SCRAM.
 * Promises to read an answer or to throw. https://kafka.apache.org/protocol.html; all versions here are "flexible":
 * lengths are varints of the length and one, and each structure ends with its tagged fields, of which we have none.
 */
import { pbkdf2Sync, randomBytes } from "node:crypto";
import type net from "node:net";

const DESCRIBE_CLUSTER = 60;
const DESCRIBE_SCRAM = 50;
const ALTER_SCRAM = 51;

const SCRAM_SHA_512 = 2;
/** The least that Kafka takes: these passwords are kept by a sandbox. */
const ITERATIONS = 4096;

export interface ScramUser {
  readonly name: string;
  readonly password: string;
}

/** The ids of the brokers that are not fenced. */
export async function servingBrokers(socket: net.Socket): Promise<number[]> {
  const answer = await ask(socket, DESCRIBE_CLUSTER, Buffer.from([0, 0]));
  answer.int32();
  answer.check();
  answer.text();
  answer.int32();
  return answer.array(() => {
    const id = answer.int32();
    answer.text();
    answer.int32();
    answer.text();
    return id;
  });
}

/** The names of all users that have a password. */
export async function scramUsers(socket: net.Socket): Promise<string[]> {
  const answer = await ask(socket, DESCRIBE_SCRAM, Buffer.from([0, 0]));
  answer.int32();
  answer.check();
  return answer.array(() => {
    const name = answer.text();
    answer.int16();
    answer.text();
    answer.array(() => [answer.int8(), answer.int32()]);
    return name;
  });
}

export interface ScramChange {
  readonly remove: readonly string[];
  readonly set: readonly ScramUser[];
}

export async function alterScramUsers(socket: net.Socket, { remove, set }: ScramChange): Promise<void> {
  const removed = remove.map((name) => Buffer.concat([text(name), Buffer.from([SCRAM_SHA_512, 0])]));
  const body = Buffer.concat([array(removed), array(set.map(upsertion)), NO_TAGS]);
  const answer = await ask(socket, ALTER_SCRAM, body);
  answer.int32();
  answer.array(() => {
    const name = answer.text();
    answer.check(`the user ${name}`);
  });
}

function upsertion({ name, password }: ScramUser): Buffer {
  const salt = randomBytes(32);
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, ITERATIONS, 64, "sha512");
  const head = Buffer.alloc(5);
  head.writeInt8(SCRAM_SHA_512);
  head.writeInt32BE(ITERATIONS, 1);
  return Buffer.concat([text(name), head, bytes(salt), bytes(salted), NO_TAGS]);
}

const NO_TAGS = Buffer.from([0]);

function varint(value: number): Buffer {
  const out: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...out, rest]);
    out.push((rest & 0x7f) | 0x80);
  }
}

const bytes = (value: Buffer) => Buffer.concat([varint(value.length + 1), value]);
const text = (value: string) => bytes(Buffer.from(value));
const array = (items: readonly Buffer[]) => Buffer.concat([varint(items.length + 1), ...items]);

/** Version 0 of the request of that key. */
async function ask(socket: net.Socket, key: number, body: Buffer): Promise<Answer> {
  const head = Buffer.alloc(10);
  head.writeInt16BE(key);
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
class Answer {
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
