// @ts-check
/**
 * Kafka's greeting, as far as it goes without credentials: which requests a broker understands, whether it wants
 * authentication, and, where it does not, who is in the cluster. Promises that an answer which is not Kafka's is told
 * as such, with what was answered instead. Versions are old ones with fixed layouts, which every broker since 1.0
 * understands. https://kafka.apache.org/protocol.html
 */
import { Stopped } from "./stages.mjs";

const METADATA = 3;
const SASL_HANDSHAKE = 17;
const API_VERSIONS = 18;

/** The newest layout of Metadata without tagged fields. */
const NEWEST_METADATA = 8;
/** The first that names the cluster. */
const OLDEST_METADATA = 2;

const UNSUPPORTED_MECHANISM = 33;
/** A mechanism that nobody has: the refusal names those that there are. */
const NO_MECHANISM = "NONE";

const LONGEST_ANSWER = 16 * 1024 * 1024;

/** @typedef {import("node:net").Socket} Socket */
/** @typedef {{ key: number, min: number, max: number }} Api */

/**
 * @typedef {object} KafkaSeen
 * @property {number} requests How many kinds of requests it understands.
 * @property {string} fetchVersions Of the request to read records, such as `4-17`; empty where there is none.
 * @property {string[]} mechanisms By which it wants clients to authenticate; empty where it does not.
 * @property {string | null} clusterId
 * @property {number | null} controllerId
 * @property {{ id: number, host: string, port: number }[]} brokers
 */

/**
 * @param {Socket} socket
 * @returns {Promise<Api[]>}
 */
export async function apiVersions(socket) {
  const answer = await ask(socket, { key: API_VERSIONS, version: 0, body: Buffer.alloc(0) });
  try {
    const error = answer.int16();
    const apis = answer.array(() => ({ key: answer.int16(), min: answer.int16(), max: answer.int16() }));
    if (error === 0 && apis.some(({ key }) => key === API_VERSIONS)) return apis;
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
  }
  throw new Stopped("NOT_KAFKA", "its answer to ApiVersions is not Kafka's");
}

/**
 * The mechanisms by which it wants clients to authenticate; none where it serves anybody. A broker that wants it ends
 * the connection after this.
 * @param {Socket} socket
 * @param {readonly Api[]} apis
 * @returns {Promise<string[]>}
 */
export async function mechanisms(socket, apis) {
  if (!apis.some(({ key }) => key === SASL_HANDSHAKE)) return [];
  const answer = await ask(socket, { key: SASL_HANDSHAKE, version: 1, body: text(NO_MECHANISM) });
  const error = answer.int16();
  const offered = answer.array(() => answer.text());
  return error === UNSUPPORTED_MECHANISM ? offered : [];
}

/**
 * @param {Socket} socket
 * @param {readonly Api[]} apis
 */
export async function metadata(socket, apis) {
  const range = apis.find(({ key }) => key === METADATA);
  const version = Math.min(range?.max ?? 0, NEWEST_METADATA);
  if (!range || version < Math.max(range.min, OLDEST_METADATA))
    throw new Stopped("UNSUPPORTED", "it understands no version of Metadata that is known here");
  const answer = await ask(socket, { key: METADATA, version, body: noTopics(version) });
  if (version >= 3) answer.int32();
  const brokers = answer.array(() => {
    const broker = { id: answer.int32(), host: answer.text(), port: answer.int32() };
    answer.nullableText();
    return broker;
  });
  return { brokers, clusterId: answer.nullableText(), controllerId: answer.int32() };
}

/**
 * An empty list: no topic at all. From version 4 on it is said whether topics may be made, from 8 on what is allowed.
 * @param {number} version
 */
function noTopics(version) {
  return Buffer.alloc(4 + (version >= 4 ? 1 : 0) + (version >= 8 ? 2 : 0));
}

/** @param {string} value */
function text(value) {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

let lastRequest = 0;

/**
 * @param {Socket} socket
 * @param {{ key: number, version: number, body: Buffer }} request
 */
async function ask(socket, { key, version, body }) {
  lastRequest += 1;
  const id = lastRequest;
  const head = Buffer.alloc(8);
  head.writeInt16BE(key);
  head.writeInt16BE(version, 2);
  head.writeInt32BE(id, 4);
  const message = Buffer.concat([head, text("letsdata-probe"), body]);
  const length = Buffer.alloc(4);
  length.writeInt32BE(message.length);
  const awaited = oneMessage(socket);
  socket.write(Buffer.concat([length, message]));
  const answer = new Answer(await awaited);
  if (answer.int32() !== id) throw new Stopped("NOT_KAFKA", "it answers another request than was sent");
  return answer;
}

/**
 * @param {Socket} socket
 * @returns {Promise<Buffer>}
 */
function oneMessage(socket) {
  const { promise, resolve, reject } = Promise.withResolvers();
  let got = Buffer.alloc(0);
  /** @param {Buffer} chunk */
  const take = (chunk) => {
    got = Buffer.concat([got, chunk]);
    if (got.length < 4) return;
    const length = got.readInt32BE();
    // Shorter than its own id, or longer than any answer to these: the first four bytes are no length.
    if (length < 4 || length > LONGEST_ANSWER) reject(new Stopped("NOT_KAFKA", answered(got)));
    else if (got.length >= 4 + length) resolve(got.subarray(4, 4 + length));
  };
  const closed = () =>
    reject(
      got.length > 0
        ? new Stopped("NOT_KAFKA", answered(got))
        : new Stopped("CLOSED", "it closed the connection instead of answering"),
    );
  socket.on("data", take).once("close", closed).once("end", closed).once("error", reject);
  const end = () => socket.off("data", take).off("close", closed).off("end", closed).off("error", reject);
  promise.then(end, end);
  return promise;
}

/** @param {Buffer} got */
function answered(got) {
  // A TLS record: https://www.rfc-editor.org/rfc/rfc8446#section-5.1
  if ((got[0] === 0x15 || got[0] === 0x16) && got[1] === 0x03) return "it answers in TLS";
  const line =
    got
      .subarray(0, 60)
      .toString("latin1")
      .split(/[\r\n]/)[0] ?? "";
  return /^[\x20-\x7e]{4,}/.test(line) ? `it answers "${line}"` : "its answer is not Kafka's";
}

/** Reads on and on; throws a RangeError past the end. */
class Answer {
  #bytes;
  #at = 0;

  /** @param {Buffer} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  int16() {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32() {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  text() {
    return this.nullableText() ?? "";
  }

  nullableText() {
    const length = this.int16();
    if (length < 0) return null;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError("a text is longer than the answer");
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }

  /**
   * @template T
   * @param {() => T} one
   * @returns {T[]}
   */
  array(one) {
    const length = this.int32();
    // No element is shorter than two bytes.
    if (length > this.#bytes.length / 2) throw new RangeError("a list is longer than the answer");
    return Array.from({ length: Math.max(0, length) }, one);
  }
}
