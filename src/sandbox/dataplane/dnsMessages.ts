/**
 * DNS on the wire: one query's bytes in, the answer's bytes out. Promises an answer to everything that is a
 * query, with the code that says why it has none; truncates what UDP does not hold. Answers, messages too short
 * to be a query, and what the resolver keeps silent about get no answer.
 * https://www.rfc-editor.org/rfc/rfc1035, https://www.rfc-editor.org/rfc/rfc6891
 */
import * as dns from "dns-packet";
import type { Resolution, Resolve } from "./dns.ts";

const RCODE = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

type Code = keyof typeof RCODE;

/** Of AWS's own names: a minute. */
const TTL_SECONDS = 60;
const HEADER_BYTES = 12;
const PLAIN_UDP_BYTES = 512;
const MOST_UDP_BYTES = 1232;
const MOST_TCP_BYTES = 65_535;

export type Transport = "udp" | "tcp";

/** undefined = say nothing. */
export function answerTo(query: Buffer, transport: Transport, resolve: Resolve): Buffer | undefined {
  if (query.length < HEADER_BYTES || isResponse(query)) return undefined;
  const asked = decoded(query);
  if (!asked) return header(query, "FORMERR");
  if (opcodeOf(query) !== 0) return header(query, "NOTIMP");
  const [question, ...others] = asked.questions ?? [];
  if (!question || others.length > 0 || !isPlain(question.name)) return header(query, "FORMERR");
  const ask: Ask = { query, asked, question, limit: limitOf(asked, transport) };
  const version = edns(asked)?.ednsVersion ?? 0;
  if (version !== 0) return encoded(ask, { code: "NOERROR", extendedCode: BAD_VERSION });
  if (question.class !== "IN") return encoded(ask, { code: "REFUSED" });
  const found = resolve({ name: question.name, type: question.type });
  return found && encoded(ask, said(question, found));
}

/** The upper bits of BADVERS: https://www.rfc-editor.org/rfc/rfc6891#section-9 */
const BAD_VERSION = 1;

interface Ask {
  readonly query: Buffer;
  readonly asked: dns.DecodedPacket;
  readonly question: dns.Question;
  readonly limit: number;
}

interface Said {
  readonly code: Code;
  readonly extendedCode?: number;
  readonly answers?: dns.Answer[];
  readonly authorities?: dns.Answer[];
}

function said(question: dns.Question, { exists, records, zone }: Resolution): Said {
  const code = exists ? "NOERROR" : "NXDOMAIN";
  // The name as it was asked: some resolvers check that its case comes back.
  const answers = records.map(
    ({ type, data }): dns.Answer => ({
      name: question.name,
      type,
      data,
      ttl: TTL_SECONDS,
    }),
  );
  const authorities = answers.length === 0 && zone !== undefined ? [startOfAuthority(zone)] : [];
  return { code, answers, authorities };
}

/** Says how long it may be remembered that there is nothing. */
function startOfAuthority(zone: string): dns.Answer {
  const data = {
    mname: `ns.${zone}`,
    rname: `hostmaster.${zone}`,
    serial: 1,
    refresh: 3_600,
    retry: 900,
    expire: 604_800,
    minimum: TTL_SECONDS,
  };
  return { name: zone, type: "SOA", ttl: TTL_SECONDS, data };
}

function encoded(ask: Ask, { code, extendedCode = 0, answers = [], authorities = [] }: Said): Buffer {
  const { query, asked, question, limit } = ask;
  const options: dns.OptAnswer = {
    name: ".",
    type: "OPT",
    udpPayloadSize: MOST_UDP_BYTES,
    extendedRcode: extendedCode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  const answer: dns.Packet = {
    type: "response",
    id: query.readUInt16BE(0),
    flags: flagsOf(query, code),
    questions: [question],
    additionals: edns(asked) ? [options] : [],
  };
  const whole = dns.encode({ ...answer, answers, authorities });
  if (whole.length <= limit) return whole;
  return dns.encode({ ...answer, flags: flagsOf(query, code) | dns.TRUNCATED_RESPONSE });
}

/** An answer of the header alone, for a question that cannot be repeated. */
function header(query: Buffer, code: Code): Buffer {
  return dns.encode({ type: "response", id: query.readUInt16BE(0), flags: flagsOf(query, code) });
}

const OPCODE_BITS = 0x7800;

/** The query's operation and its wish for recursion come back. */
function flagsOf(query: Buffer, code: Code): number {
  const kept = query.readUInt16BE(2) & (OPCODE_BITS | dns.RECURSION_DESIRED);
  return kept | dns.RECURSION_AVAILABLE | RCODE[code];
}

function isResponse(query: Buffer): boolean {
  return (query.readUInt8(2) & 0x80) !== 0;
}

function opcodeOf(query: Buffer): number {
  return (query.readUInt16BE(2) & OPCODE_BITS) >> 11;
}

/** A name that the package gives back byte for byte. */
function isPlain(name: string): boolean {
  return /^[\x21-\x7e]+$/.test(name);
}

function decoded(query: Buffer): dns.DecodedPacket | undefined {
  try {
    return dns.decode(query);
  } catch {
    return undefined;
  }
}

function edns(asked: dns.Packet): dns.OptAnswer | undefined {
  return asked.additionals?.find((one) => one.type === "OPT");
}

function limitOf(asked: dns.Packet, transport: Transport): number {
  if (transport === "tcp") return MOST_TCP_BYTES;
  const wished = edns(asked)?.udpPayloadSize ?? PLAIN_UDP_BYTES;
  return Math.min(Math.max(wished, PLAIN_UDP_BYTES), MOST_UDP_BYTES);
}
