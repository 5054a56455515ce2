import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProbeResult } from "../domain/probe.ts";
import { assertProblem, assertPromised, type Reply, type TestHouse, testHouse } from "./testing.ts";
import { kafka } from "./worlds.testing.ts";

const ROLE = "arn:aws:iam::999999999999:role/probes";
const TARGET = { target: "172.20.0.10:9092" };

let house: TestHouse;
let acme: Awaited<ReturnType<TestHouse["tenant"]>>;

before(async () => {
  house = await testHouse({}, { functionRoleArn: ROLE });
  acme = await house.tenant("acme");
  await create("Clicks", kafka("Clicks", { kafka: { clusterType: "none" }, vpcSize: "small" }));
});
after(() => house.close());

async function create(name: string, body: unknown): Promise<void> {
  const made = await house.ask("POST /v1/datasets", { key: acme.member, body });
  assert.equal(made.status, 201, `${name}: ${made.text}`);
}

const probe = (body: unknown, name = "Clicks", key = acme.member) =>
  house.ask(`POST /v1/datasets/${name}/probes`, { key, body });

/** Time passes until it is answered; nobody carries the probe out, unless `meanwhile` does. */
async function waited(
  asked: Promise<Reply>,
  meanwhile: () => Promise<void> = async () => {},
): Promise<Reply> {
  let reply: Reply | undefined;
  void asked.then((answer) => (reply = answer));
  while (!reply) {
    await new Promise(setImmediate);
    await meanwhile();
    house.clock.advance(100);
  }
  return reply;
}

describe("a probe", () => {
  test("is answered as far as it is after 20 s, and goes on", async () => {
    const began = house.clock.now();
    const reply = await waited(probe(TARGET));
    assertPromised("vpcs.probe", reply);
    const { state, statusReason, verdict, stages, protocol, tls } = reply.body;
    assert.deepEqual([state, verdict, stages, protocol, tls], ["waiting", null, [], "tcp", false]);
    assert.match(statusReason, /waits for a process that probes/);
    assert.ok(house.clock.now() - began >= 20_000 && house.clock.now() - began < 25_000);
    const again = await house.ask(`GET /v1/datasets/Clicks/probes/${reply.body.probeId}`, {
      key: acme.viewer,
    });
    assertPromised("vpcs.viewProbe", again);
    assert.equal(again.body.probeId, reply.body.probeId);
  });

  test("is answered at its end, with all that was found", async () => {
    const result: ProbeResult = {
      verdict: "reachable",
      summary: "it speaks Kafka",
      nextStep: null,
      stages: [
        { stage: "resolve", outcome: "ok", ms: 1.5, detail: "172.20.0.10" },
        { stage: "route", outcome: "ok", ms: null, detail: "172.20.0.0/16 by pcx-1" },
      ],
      addresses: ["172.20.0.10"],
      tls: {
        protocol: "TLSv1.3",
        cipher: "c",
        error: null,
        certificates: [{ subject: "s", issuer: "i", names: "", validFrom: "a", validTo: "b" }],
      },
      kafka: {
        requests: 60,
        fetchVersions: "4-17",
        mechanisms: ["SCRAM-SHA-512"],
        clusterId: null,
        controllerId: null,
        brokers: [],
      },
    };
    const reply = await waited(probe({ target: "B-1.Example:9096", protocol: "kafka" }), async () => {
      for (let lease = await house.store.probes.claim(1); lease; lease = await house.store.probes.claim(1))
        await house.store.probes.end(lease, { state: "done", note: null, hint: null, result });
    });
    assertPromised("vpcs.probe", reply);
    assert.equal(reply.body.target, "b-1.example:9096");
    assert.deepEqual([reply.body.tls, reply.body.verdict, reply.body.state], [true, "reachable", "done"]);
    assert.deepEqual(reply.body.kafka, result.kafka);
    assert.equal(reply.body.certificates.length, 1);
  });

  test("is audited, with its target", async () => {
    const audit = await house.ask("GET /v1/audit", { key: acme.admin });
    const record = audit.body.items.find(({ action }: { action: string }) => action === "vpcs.probe");
    assert.match(JSON.stringify(record), /b-1\.example:9096/);
  });

  test("one that there is not, and another dataset's", async () => {
    const { probeId } = (await waited(probe(TARGET))).body;
    await create("Views", kafka("Views"));
    const foreign = await house.ask(`GET /v1/datasets/Views/probes/${probeId}`, { key: acme.viewer });
    assertProblem(foreign, 404, "notFound");
    assertProblem(
      await house.ask("GET /v1/datasets/Clicks/probes/prb_nothing", { key: acme.viewer }),
      404,
      "notFound",
    );
  });
});

describe("what is refused, with what would be right", () => {
  const targets: readonly [string, RegExp][] = [
    ["db", /has no port.*9092 plaintext, 9094 TLS, 9096 SCRAM, 9098 IAM/],
    ["db:", /has no port/],
    ["db:0", /1 to 65535/],
    ["db:65536", /1 to 65535/],
    ["db:http", /"http" is no port/],
    [":80", /no host/],
    ["[::1]:80", /looks like IPv6.*IPv4/],
    ["fe80::1:80", /looks like IPv6/],
    ["http://db:80/", /is a URL.*without a scheme/],
    ["10.0.0.256:80", /"10\.0\.0\.256" is no IPv4 address/],
    ["10.0.0:80", /no IPv4 address/],
    ["-db:80", /no name of a host/],
    ["d b:80", /no name of a host/],
    [`${"a".repeat(64)}:80`, /up to 63/],
  ];
  for (const [target, message] of targets)
    test(`the target ${target.slice(0, 20)}`, async () => {
      const reply = await probe({ target });
      assertProblem(reply, 400, "invalid");
      assert.match(reply.body.message, message);
    });

  const bodies: readonly [string, object, RegExp][] = [
    ["TLS said of tcp", { ...TARGET, tls: "on" }, /tls on goes with protocol kafka/],
    [
      "authorities without TLS",
      { ...TARGET, ca: "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----" },
      /no TLS is spoken/,
    ],
    ["authorities that are none", { ...TARGET, protocol: "tls", ca: "hello" }, /no certificate in PEM/],
    ["an unknown protocol", { ...TARGET, protocol: "udp" }, /one of tcp, tls, kafka/],
    ["too much patience", { ...TARGET, stageSeconds: 11 }, /at most 10/],
  ];
  for (const [what, body, message] of bodies)
    test(what, async () => {
      const reply = await probe(body);
      assertProblem(reply, 400, "invalid");
      assert.match(reply.body.message, message);
    });

  test("a dataset without a VPC of ours", async () => {
    await create("Flat", kafka("Flat", { connectorDestination: "S3" }));
    const reply = await probe(TARGET, "Flat");
    assertProblem(reply, 409, "conflict");
    assert.match(`${reply.body.message} ${reply.body.hint}`, /does not exist.*Only a Kafka write connector/);
  });

  test("a VPC that is being deleted", async () => {
    await create("Old", kafka("Old", { kafka: { clusterType: "none" }, vpcSize: "small" }));
    await house.ask("DELETE /v1/datasets/Old/writeConnector", { key: acme.member });
    const reply = await probe(TARGET, "Old");
    assertProblem(reply, 409, "conflict");
    assert.match(reply.body.message, /is being deleted/);
  });

  test("more at one time than one VPC may have", async () => {
    await create("Busy", kafka("Busy"));
    const asked = Array.from({ length: 10 }, () => probe(TARGET, "Busy"));
    await waited(Promise.race(asked));
    const reply = await probe(TARGET, "Busy");
    assertProblem(reply, 409, "conflict");
    assert.match(reply.body.message, /10 probes of the VPC of Busy are under way/);
    for (const one of asked) assert.equal((await waited(one)).status, 202);
  });

  test("a viewer", async () => assertProblem(await probe(TARGET, "Clicks", acme.viewer), 403, "forbidden"));
});

describe("the role that functions run as", () => {
  async function refusal(given: { functionRoleArn?: string }): Promise<Reply> {
    const other = await testHouse({}, given);
    const tenant = await other.tenant("acme");
    const body = kafka("Clicks", { kafka: { clusterType: "none" }, vpcSize: "small" });
    await other.ask("POST /v1/datasets", { key: tenant.member, body });
    const reply = await other.ask("POST /v1/datasets/Clicks/probes", { key: tenant.member, body: TARGET });
    await other.close();
    return reply;
  }

  test("without one: which setting, what it must be allowed, and what to start", async () => {
    const reply = await refusal({});
    assertProblem(reply, 409, "conflict");
    assert.match(reply.body.message, /no role is set/);
    assert.match(
      reply.body.hint,
      /account 999999999999.*lambda\.amazonaws\.com.*AWSLambdaVPCAccessExecutionRole/,
    );
    assert.match(reply.body.hint, /serve --functionRoleArn arn:aws:iam::999999999999:role\/NAME/);
  });

  test("one of another account", async () => {
    const reply = await refusal({ functionRoleArn: "arn:aws:iam::111122223333:role/probes" });
    assertProblem(reply, 409, "conflict");
    assert.match(reply.body.message, /is of account 111122223333, and this VPC is in account 999999999999/);
  });
});
