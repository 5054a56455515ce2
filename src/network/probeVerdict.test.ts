import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cidr } from "../domain/cidr.ts";
import type { FoundStage, FoundStageName, ProbeFindings, ProbeResult, ProbeWish } from "../domain/probe.ts";
import type { World } from "../domain/world.ts";
import { probeVerdict } from "./probeVerdict.ts";
import { network, peering, settled } from "./settled.testing.ts";

const of = network();
const WORLD = {
  ...settled(of, [{ connectionId: "pcx-1", cidrs: [cidr("172.20.0.0/16")] }]),
  peerings: [peering()],
};

const ORDER: readonly FoundStageName[] = ["resolve", "connect", "tls", "apiVersions", "metadata"];

/** Everything went well up to that stage, which failed with that code. */
function failedAt(stage: FoundStageName, code: string, detail = "it says so"): FoundStage[] {
  const before = ORDER.slice(0, ORDER.indexOf(stage)).map(ok);
  return [...before, { stage, outcome: "failed", ms: 5_000, code, detail }];
}

function ok(stage: FoundStageName): FoundStage {
  return { stage, outcome: "ok", ms: 2, code: null, detail: "well" };
}

interface Case {
  readonly stages: readonly FoundStage[];
  readonly address?: string;
  readonly wish?: Partial<ProbeWish>;
  readonly found?: Partial<ProbeFindings>;
  readonly world?: World;
}

function judge({ stages, address = "172.20.3.4", wish = {}, found = {}, world = WORLD }: Case): ProbeResult {
  const whole: ProbeWish = {
    host: "db.example",
    port: 5432,
    protocol: "tcp",
    tls: false,
    ca: null,
    stageMs: 5_000,
    ...wish,
  };
  const isNamed = stages[0]?.outcome === "ok";
  const findings = { stages, addresses: isNamed ? [address] : [], tls: null, kafka: null, ...found };
  return probeVerdict({ network: of, wish: whole, findings, world });
}

const kafka = {
  requests: 60,
  fetchVersions: "4-17",
  mechanisms: [] as string[],
  clusterId: "c",
  controllerId: 1,
  brokers: [{ id: 1, host: "b-1", port: 9092 }],
};

describe("each verdict, by its sentence and its next step", () => {
  const elsewhere = { ...settled(of), peerings: [] };
  const cases: readonly [string, Case, ProbeResult["verdict"], RegExp, RegExp | null][] = [
    [
      "a connection",
      { stages: [ok("resolve"), ok("connect")] },
      "reachable",
      /db\.example:5432 is reachable.*TCP \(4 ms\)/,
      null,
    ],
    [
      "no such name",
      { stages: failedAt("resolve", "ENOTFOUND") },
      "noName",
      /no IPv4 address/,
      /spelling.*private hosted zone/,
    ],
    [
      "a silent resolver",
      { stages: failedAt("resolve", "EAI_AGAIN") },
      "noName",
      /could not be resolved.*EAI_AGAIN/,
      /DNS support/,
    ],
    [
      "no route, and no answer",
      { stages: failedAt("connect", "TIMEOUT"), world: elsewhere },
      "noRoute",
      /no route: 172\.20\.3\.4 is a private/,
      /peeringGuide/,
    ],
    [
      "the kernel knows no way",
      { stages: failedAt("connect", "EHOSTUNREACH") },
      "noRoute",
      /EHOSTUNREACH/,
      /address is not in use/,
    ],
    [
      "its own address",
      {
        stages: failedAt("connect", "OWN_ADDRESS", "127.0.0.1 means the probe itself"),
        address: "127.0.0.1",
      },
      "noRoute",
      /means the probe itself/,
      /its own network/,
    ],
    [
      "a closed port",
      { stages: failedAt("connect", "ECONNREFUSED") },
      "refused",
      /nothing listens/,
      /service runs/,
    ],
    [
      "a closed port where the tables show no route",
      { stages: failedAt("connect", "ECONNREFUSED"), world: elsewhere },
      "refused",
      /nothing listens/,
      /service runs/,
    ],
    [
      "silence over the peering",
      { stages: failedAt("connect", "TIMEOUT") },
      "filtered",
      /dropped on the way \(5000 ms\)/,
      /other side of pcx-1.*10\.2\.0\.0\/25.*security group.*ACL.*missing return route looks just the same/,
    ],
    [
      "silence inside the VPC",
      { stages: failedAt("connect", "TIMEOUT"), address: "10.2.0.9" },
      "filtered",
      /dropped/,
      /group `cluster`/,
    ],
    [
      "silence of the internet",
      { stages: failedAt("connect", "ETIMEDOUT"), address: "8.8.8.8" },
      "filtered",
      /dropped/,
      /NAT gateways' public addresses/,
    ],
    [
      "no TLS",
      { stages: failedAt("tls", "EPROTO"), wish: { protocol: "tls", tls: true } },
      "tlsFailure",
      /answers, and not in TLS.*EPROTO/,
      /does this service speak TLS/,
    ],
    [
      "no TLS, where Kafka was asked for",
      { stages: failedAt("tls", "EPROTO"), wish: { protocol: "kafka", tls: true } },
      "tlsFailure",
      /not in TLS/,
      /--tls off/,
    ],
    [
      "not Kafka",
      {
        stages: failedAt("apiVersions", "NOT_KAFKA", 'it answers "SSH-2.0"'),
        wish: { protocol: "kafka", tls: true },
      },
      "notKafka",
      /does not speak Kafka: it answers "SSH-2\.0"/,
      /broker's listener/,
    ],
    [
      "a hang-up in plaintext",
      { stages: failedAt("apiVersions", "CLOSED"), wish: { protocol: "kafka" } },
      "notKafka",
      /does not speak Kafka/,
      /--tls on/,
    ],
    [
      "a TLS alert in plaintext",
      { stages: failedAt("apiVersions", "NOT_KAFKA", "it answers in TLS"), wish: { protocol: "kafka" } },
      "notKafka",
      /in TLS/,
      /--tls on/,
    ],
    [
      "Kafka",
      { stages: ORDER.map(ok), wish: { protocol: "kafka" }, found: { kafka } },
      "reachable",
      /speaks Kafka \(/,
      null,
    ],
    [
      "Kafka that wants to know who asks",
      {
        stages: ORDER.map(ok),
        wish: { protocol: "kafka" },
        found: { kafka: { ...kafka, mechanisms: ["SCRAM-SHA-512"] } },
      },
      "reachable",
      /speaks Kafka, and asks for SCRAM-SHA-512/,
      null,
    ],
    [
      "Kafka that hangs up on Metadata",
      { stages: failedAt("metadata", "CLOSED"), wish: { protocol: "kafka" }, found: { kafka } },
      "reachable",
      /speaks Kafka/,
      null,
    ],
    [
      "a connection where the tables show no route",
      { stages: [ok("resolve"), ok("connect")], world: elsewhere },
      "reachable",
      /though the route tables show no way/,
      null,
    ],
  ];
  for (const [what, given, verdict, summary, nextStep] of cases)
    test(`${what}: ${verdict}`, () => {
      const result = judge(given);
      assert.equal(result.verdict, verdict);
      assert.match(result.summary, summary);
      if (nextStep) assert.match(result.nextStep ?? "", nextStep);
      else assert.equal(result.nextStep, null);
    });

  const certificate = {
    subject: "server",
    issuer: "an authority",
    names: "DNS:x.example",
    validFrom: "a",
    validTo: "b",
  };
  const reasons: readonly [string, RegExp, RegExp][] = [
    [
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      /is self-signed: server \(DNS:x\.example\), from an authority, valid to b/,
      /--caFile/,
    ],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /authority, which is not known/, /--caFile/],
    ["SELF_SIGNED_CERT_IN_CHAIN", /not trusted/, /--caFile/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /is for another name/, /by a name that the certificate is for/],
    ["CERT_HAS_EXPIRED", /has expired/, /needs a new certificate/],
    ["A_NEW_ONE", /is not trusted \(A_NEW_ONE\)/, /--caFile/],
  ];
  for (const [error, summary, nextStep] of reasons)
    test(`a certificate: ${error}`, () => {
      const tls = { protocol: "TLSv1.3", cipher: "c", error, certificates: [certificate] };
      const result = judge({
        stages: failedAt("tls", error),
        wish: { protocol: "tls", tls: true },
        found: { tls },
      });
      assert.equal(result.verdict, "tlsFailure");
      assert.match(result.summary, summary);
      assert.match(result.nextStep ?? "", nextStep);
    });
});

describe("the stages", () => {
  const told = (given: Case) => judge(given).stages.map(({ stage, outcome }) => `${stage} ${outcome}`);

  test("the route stands between name and connection, judged and not timed", () => {
    assert.deepEqual(told({ stages: failedAt("connect", "TIMEOUT") }), [
      "resolve ok",
      "route ok",
      "connect failed",
    ]);
    const [, route] = judge({ stages: [ok("resolve"), ok("connect")] }).stages;
    assert.deepEqual([route?.ms, route?.detail], [null, "172.20.0.0/16 by pcx-1"]);
  });

  test("without an address there is none", () => {
    assert.deepEqual(told({ stages: failedAt("resolve", "ENOTFOUND") }), ["resolve failed"]);
  });

  test("metadata that is not told without credentials is skipped, and not failed", () => {
    const wants = { kafka: { ...kafka, mechanisms: ["SCRAM-SHA-512"] } };
    assert.equal(told({ stages: ORDER.map(ok), found: wants }).at(-1), "metadata skipped");
    assert.equal(
      told({ stages: failedAt("metadata", "CLOSED"), found: { kafka } }).at(-1),
      "metadata skipped",
    );
    assert.equal(told({ stages: ORDER.map(ok), found: { kafka } }).at(-1), "metadata ok");
  });
});
