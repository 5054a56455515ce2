/** DNS on the wire: answers, refusals, sizes, and bytes that are no message. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as dns from "dns-packet";
import fc from "fast-check";
import type { Resolution } from "./dns.ts";
import { answerTo, type Transport } from "./dnsMessages.ts";

const NAME = "ip-10-0-0-5.ec2.internal";
const records = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ name: NAME, type: "A" as const, data: `10.0.0.${at}` }));
const KNOWN: Resolution = { exists: true, records: records(1), zone: "ec2.internal" };

type Query = Omit<dns.Packet, "type"> & { readonly name?: string };

function query({ name = NAME, ...own }: Query = {}): Buffer {
  const questions: dns.Question[] = [{ name, type: "A" }];
  return dns.encode({ type: "query", id: 4711, flags: dns.RECURSION_DESIRED, questions, ...own });
}

function edns(own: Partial<dns.OptAnswer>): dns.OptAnswer {
  const rest = {
    udpPayloadSize: 4096,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return { name: ".", type: "OPT", ...rest, ...own };
}

function answer(bytes: Buffer, found: Resolution | undefined = KNOWN, transport: Transport = "udp") {
  const said = answerTo(bytes, transport, () => found);
  assert.ok(said);
  return { bytes: said, code: said.readUInt16BE(2) & 15, ...dns.decode(said) };
}

test("an answer bears the query's id, question and wish for recursion", () => {
  const { id, questions, answers, flag_rd, flag_ra, flag_qr, code } = answer(query());
  assert.deepEqual(
    { id, flag_rd, flag_ra, flag_qr, code },
    {
      id: 4711,
      flag_rd: true,
      flag_ra: true,
      flag_qr: true,
      code: 0,
    },
  );
  assert.deepEqual(questions, [{ name: NAME, type: "A", class: "IN" }]);
  assert.deepEqual(
    answers?.map((one) => [one.name, one.type, "data" in one && one.data]),
    [[NAME, "A", "10.0.0.0"]],
  );
});

test("the name comes back in the case it was asked in", () => {
  const name = "iP-10-0-0-5.eC2.InTeRnAl";
  const { questions, answers } = answer(query({ name }));
  assert.deepEqual([questions?.[0]?.name, answers?.[0]?.name], [name, name]);
});

test("no name and no data are told apart, each with the zone's authority", () => {
  const none = answer(query(), { exists: false, records: [], zone: "ec2.internal" });
  const noData = answer(query(), { exists: true, records: [], zone: "ec2.internal" });
  assert.deepEqual([none.code, noData.code], [3, 0]);
  for (const { answers, authorities } of [none, noData]) {
    assert.deepEqual(answers, []);
    assert.deepEqual(
      authorities?.map((one) => [one.type, one.name]),
      [["SOA", "ec2.internal"]],
    );
  }
  assert.deepEqual(answer(query(), { exists: false, records: [] }).authorities, []);
});

test("nothing is said where the resolver is silent, to answers, and to what is no message", () => {
  assert.equal(
    answerTo(query(), "udp", () => undefined),
    undefined,
  );
  assert.equal(
    answerTo(query().subarray(0, 11), "udp", () => KNOWN),
    undefined,
  );
  const response = dns.encode({ type: "response", id: 1, questions: [{ name: NAME, type: "A" }] });
  assert.equal(
    answerTo(response, "udp", () => KNOWN),
    undefined,
  );
});

describe("what cannot be answered is answered with its code", () => {
  const NOTIFY = 4 << 11;
  const twice = [
    { name: NAME, type: "A" as const },
    { name: NAME, type: "AAAA" as const },
  ];
  const cases: readonly [what: string, query: Buffer, code: number][] = [
    ["cut off", query().subarray(0, 20), 1],
    ["no question", query({ questions: [] }), 1],
    ["two questions", query({ questions: twice }), 1],
    ["another operation", query({ flags: NOTIFY }), 4],
    ["another class", query({ questions: [{ name: NAME, type: "A", class: "CH" }] }), 5],
    ["a name of other bytes", query({ name: "caf\u00e9.internal" }), 1],
  ];
  for (const [what, bytes, code] of cases)
    test(what, () => {
      const said = answer(bytes);
      assert.deepEqual([said.id, said.code, said.answers], [4711, code, []]);
    });

  test("another version of EDNS", () => {
    const { additionals, code } = answer(query({ additionals: [edns({ ednsVersion: 1 })] }));
    const [options] = additionals ?? [];
    assert.equal(code, 0);
    assert.ok(options?.type === "OPT" && options.extendedRcode === 1 && options.ednsVersion === 0);
  });
});

describe("size", () => {
  const many: Resolution = { exists: true, records: records(20) };

  test("UDP truncates what is longer than 512 bytes, TCP does not", () => {
    const cut = answer(query(), many);
    assert.ok(cut.flag_tc && cut.bytes.length <= 512);
    assert.deepEqual(cut.answers, []);
    const whole = answer(query(), many, "tcp");
    assert.deepEqual([whole.flag_tc, whole.answers?.length], [false, 20]);
  });

  test("who can take more says so, and is told what can be sent", () => {
    const { flag_tc, answers, additionals } = answer(query({ additionals: [edns({})] }), many);
    assert.deepEqual([flag_tc, answers?.length, additionals?.length], [false, 20, 1]);
    const cut = answer(query({ additionals: [edns({})] }), { exists: true, records: records(60) });
    assert.ok(cut.flag_tc && cut.bytes.length <= 1232);
    assert.ok(answer(query({ additionals: [edns({ udpPayloadSize: 100 })] })).answers?.length === 1);
  });
});

test("no bytes bring it down", () => {
  const prefix = query();
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 600 }).map((one) => Buffer.from(one)),
    fc.uint8Array({ maxLength: 60 }).map((tail) => Buffer.concat([prefix, tail])),
    fc.tuple(fc.nat(prefix.length - 1), fc.nat(255)).map(([at, value]) => {
      const changed = Buffer.from(prefix);
      changed[at] = value;
      return changed;
    }),
  );
  fc.assert(
    fc.property(bytes, (one) => {
      const said = answerTo(one, "udp", () => KNOWN);
      if (said) assert.equal(said.readUInt16BE(0), one.readUInt16BE(0));
    }),
    { numRuns: 2_000, seed: 1035 },
  );
});
