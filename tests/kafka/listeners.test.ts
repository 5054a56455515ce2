/**
 * Brokers where Kafka is not run: hosts with the cluster's ports open, named as AWS names them, behind the
 * cluster's groups; and the cluster says what they are. Real packets, no Java.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import * as kafka from "@aws-sdk/client-kafka";
import { KafkaNetwork } from "./kafkaNetwork.ts";

const network = await KafkaNetwork.open({ kafka: { home: "/nowhere/kafka" } });
after(() => network.close());

/** What becomes of a connection from that host: `connected`, `ECONNREFUSED`, `silent`. */
async function connection(from: string, host: string, port: number, waitMs = 20_000): Promise<string> {
  const script = `
    const socket = require("node:net").connect({ host: ${JSON.stringify(host)}, port: ${port} });
    const say = (what) => { console.log(what); process.exit(); };
    setTimeout(() => say("silent"), ${waitMs});
    socket.once("error", (error) => say(error.code)).once("connect", () => say("connected"));`;
  const { out } = await network.run(from, process.execPath, "-e", script);
  return out.trim();
}

const nameOf = (number: number, domain: string) => `b-${number}.${domain}`;

describe("brokers that are plain listeners", { skip: network.off }, () => {
  let arn = "";
  let domain = "";

  test("the cluster says what its brokers are, and so does the log, once", async () => {
    const Scram = { Enabled: true };
    arn = await network.makeCluster("clicks", { ClientAuthentication: { Sasl: { Scram } } });
    const { StateInfo } = await network.become(arn, "ACTIVE");
    assert.equal(StateInfo?.Code, "SANDBOX_WITHOUT_KAFKA");
    assert.match(
      StateInfo?.Message ?? "",
      /^The brokers are plain TCP listeners, not Kafka: there is no Apache Kafka in/,
    );
    const { BootstrapBrokerStringSaslScram: brokers = "" } = await network.bootstrap(arn);
    domain = /^b-1\.([^:]+):9096/.exec(brokers)?.[1] ?? "";
    await network.brokersBecome("listening", "listening", "listening");
    assert.equal(network.log.filter((line) => line.includes("plain TCP listeners")).length, 1);
  });

  test("their names are known beside them and over the peering, and lead to their interfaces", async () => {
    const { NodeInfoList = [] } = await network.msk.send(new kafka.ListNodesCommand({ ClusterArn: arn }));
    const addresses = NodeInfoList.flatMap(({ BrokerNodeInfo: one }) => one?.ClientVpcIpAddress ?? []);
    assert.equal(addresses.length, 3);
    for (const host of [network.insider, network.customer])
      for (const [at, address] of addresses.entries()) {
        const { out } = await network.run(host, "getent", "ahostsv4", nameOf(at + 1, domain));
        assert.match(out, new RegExp(`^${address} `));
      }
    const { code } = await network.run(network.customer, "getent", "ahostsv4", nameOf(4, domain));
    assert.notEqual(code, 0);
  });

  test("the port of the cluster's authentication is open, another is not", async () => {
    assert.equal(await connection(network.customer, nameOf(2, domain), 9096), "connected");
    assert.equal(await connection(network.customer, nameOf(2, domain), 9094), "ECONNREFUSED");
  });

  test("who has no rule in the cluster's group does not come in", async () => {
    assert.equal(await connection(network.insider, nameOf(1, domain), 9096, 300), "silent");
    await network.forbid("10.2.0.0/16");
    assert.equal(await connection(network.customer, nameOf(1, domain), 9096, 300), "silent");
    await network.allow("10.2.0.0/16");
    assert.equal(await connection(network.customer, nameOf(1, domain), 9096), "connected");
  });

  test("brokers have a network of their own beside the VPC, and nobody else is on it", async () => {
    const { out } = await network.run(nameOf(1, domain), "ip", "-o", "route", "get", "169.254.128.3");
    assert.match(out, /dev service src 169\.254\.128\.1/);
    assert.match(await connection(nameOf(1, domain), "169.254.128.3", 9095), /ECONNREFUSED/);
    assert.match(await connection(network.insider, "169.254.128.3", 9095, 300), /silent|E(HOST|NET)UNREACH/);
  });

  test("they are gone with the cluster, names and all", async () => {
    await network.msk.send(new kafka.DeleteClusterCommand({ ClusterArn: arn }));
    const hosts = async () =>
      ((await network.own("GET hosts")).value.hosts as { kind: string }[]).map(({ kind }) => kind);
    assert.ok(!(await hosts()).includes("broker"));
    await assert.rejects(network.cluster(arn), { name: "NotFoundException" });
    const { code } = await network.run(network.customer, "getent", "ahostsv4", nameOf(1, domain));
    assert.notEqual(code, 0);
  });
});
