/**
 * The probe's own code against brokers that are Apache Kafka, run in a host of a peered VPC: what a plaintext listener,
 * one with TLS and one with SCRAM say to a stranger. With FULL=1, where Java and Kafka are.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, describe, test } from "node:test";
import { type ProbeFindings, type ProbeWish, speaksTls } from "../../src/domain/probe.ts";
import { findSoftware } from "../../src/sandbox/brokers/software.ts";
import { KAFKA_HOME, KafkaNetwork } from "./kafkaNetwork.ts";

async function whyNot(): Promise<string | false> {
  if (process.env.FULL !== "1") return "Kafka is run with FULL=1 (npm run test:full)";
  if (!existsSync(KAFKA_HOME))
    return `there is no Kafka in ${KAFKA_HOME}: letsdata sandbox install kafka --dataDir .cache`;
  const found = await findSoftware({ home: KAFKA_HOME });
  return "missing" in found && found.missing;
}

const skip = await whyNot();
if (skip) process.stderr.write(`Probes of Kafka are not tested: ${skip}\n`);
const PROBE = new URL("../../src/probe/probe.mjs", import.meta.url).href;

describe("a probe of brokers that are Kafka", { skip, timeout: 600_000 }, () => {
  let network: KafkaNetwork | undefined;
  let broker = "";
  let ca: string | null = null;
  after(() => network?.close());

  async function found(port: number, change: Partial<ProbeWish> = {}): Promise<ProbeFindings> {
    assert.ok(network);
    const target = { host: broker, port, protocol: "kafka", tls: speaksTls("kafka", port) };
    const order = JSON.stringify({ ...target, ca: null, stageMs: 10_000, ...change });
    const program = `import { handler } from ${JSON.stringify(PROBE)}; console.log(JSON.stringify(await handler(${order})));`;
    const node = [process.execPath, "--input-type=module", "-e", program];
    return JSON.parse((await network.run(network.customer, ...node)).out);
  }

  const told = ({ stages }: ProbeFindings) =>
    stages.map(({ stage, outcome, code }) => [stage, outcome, code ?? ""].join(" ").trim());
  const CONNECTED = ["resolve ok", "connect ok"];

  test("there is a cluster of three, open to strangers and by SCRAM", async () => {
    network = await KafkaNetwork.open({ kafka: { home: KAFKA_HOME } });
    const arn = await network.makeCluster("probed", {
      ClientAuthentication: { Sasl: { Scram: { Enabled: true } }, Unauthenticated: { Enabled: true } },
      EncryptionInfo: { EncryptionInTransit: { ClientBroker: "TLS_PLAINTEXT", InCluster: true } },
    });
    await network.become(arn, "ACTIVE");
    const { BootstrapBrokerString = "" } = await network.bootstrap(arn);
    broker = BootstrapBrokerString.split(":")[0] ?? "";
    ca = String((await network.own("GET ca")).value.certificate);
    assert.match(broker, /^b-1\./);
  });

  test("plaintext: who is in the cluster", async () => {
    const findings = await found(9092);
    assert.deepEqual(
      told(findings),
      [...CONNECTED, "apiVersions ok", "metadata ok"],
      JSON.stringify(findings),
    );
    const { brokers = [], clusterId, mechanisms } = findings.kafka ?? {};
    assert.deepEqual([brokers.length, mechanisms], [3, []]);
    assert.ok(brokers.every(({ port }) => port === 9092));
    assert.match(clusterId ?? "", /^[\w-]{22}$/);
  });

  test("TLS: the same, once its authority is known", async () => {
    // Kafka sends its authority along.
    assert.equal(told(await found(9094)).at(-1), "tls failed SELF_SIGNED_CERT_IN_CHAIN");
    assert.deepEqual(told(await found(9094, { ca })), [
      ...CONNECTED,
      "tls ok",
      "apiVersions ok",
      "metadata ok",
    ]);
  });

  test("SCRAM: what it wants to hear first", async () => {
    const findings = await found(9096, { ca });
    assert.deepEqual(told(findings), [...CONNECTED, "tls ok", "apiVersions ok", "metadata ok"]);
    assert.deepEqual(findings.kafka?.mechanisms, ["SCRAM-SHA-512"]);
  });

  test("TLS spoken to in plaintext: not Kafka", async () => {
    const last = told(await found(9094, { tls: false })).at(-1) ?? "";
    assert.match(last, /^apiVersions failed (NOT_KAFKA|CLOSED|ECONNRESET)$/);
  });
});
