/**
 * Requests of Kafka's own protocol that a cluster's keeper makes: which brokers serve, and who may come in by SCRAM.
 */
import { pbkdf2Sync, randomBytes } from "node:crypto";
import type net from "node:net";
import { array, ask, bytes, NO_TAGS, text } from "./kafkaCodec.ts";

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
  const answer = await ask(socket, { key: DESCRIBE_CLUSTER, version: 0 }, Buffer.from([0, 0]));
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
  const answer = await ask(socket, { key: DESCRIBE_SCRAM, version: 0 }, Buffer.from([0, 0]));
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
  const answer = await ask(socket, { key: ALTER_SCRAM, version: 0 }, body);
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
