import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClusterNodeRow, ClusterRow } from "../serviceRows.ts";
import { serverProperties } from "./serverProperties.ts";

const FILES = { logDir: "/k/data", keyStore: "/k/broker.pem", trustStore: "/k/authority.pem" };

function node(number: number): ClusterNodeRow {
  const privateIp = `10.1.0.${3 + number}`;
  return {
    kind: "broker",
    number,
    subnetId: `subnet-${number % 3}`,
    interfaceId: `eni-${number}`,
    privateIp,
  };
}

function cluster(brokerCount: number, more: Partial<ClusterRow> = {}): ClusterRow {
  const zones = Math.min(3, brokerCount);
  return {
    id: "arn:aws:kafka:us-east-1:111111111111:cluster/clicks/0-1",
    account: "111111111111",
    region: "us-east-1",
    at: 0,
    tags: [],
    name: "clicks",
    kafkaVersion: "3.9.x.kraft",
    instanceType: "kafka.m7g.large",
    brokerCount,
    vpcId: "vpc-1",
    subnetIds: Array.from({ length: zones }, (_, at) => `subnet-${at}`),
    groupIds: ["sg-1"],
    inCluster: true,
    keyArn: "arn:key",
    currentVersion: "K1",
    domain: "clicks.a1b2c3.c1.kafka.us-east-1.amazonaws.com",
    nodes: Array.from({ length: brokerCount }, (_, at) => node(at + 1)),
    secretArns: [],
    volumesGiB: [],
    authentication: { unauthenticated: true, iam: false, scram: false, tlsAuthorities: [] },
    clientBroker: "TLS_PLAINTEXT",
    monitoring: "DEFAULT",
    prometheus: { jmx: false, node: false },
    ...more,
  };
}

function properties(row: ClusterRow, number: number): Readonly<Record<string, string>> {
  const text = serverProperties(row, node(number), FILES);
  return Object.fromEntries(
    text
      .trim()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

describe("a broker's configuration", () => {
  test("opens the ports of the cluster's client authentication, at the interface's address, under MSK's names", () => {
    const { listeners, "advertised.listeners": advertised } = properties(cluster(3), 2);
    assert.equal(
      listeners,
      "CLIENT://10.1.0.5:9092,CLIENT_SECURE://10.1.0.5:9094,REPLICATION://169.254.128.2:9095,CONTROLLER://169.254.128.2:9093",
    );
    const name = "b-2.clicks.a1b2c3.c1.kafka.us-east-1.amazonaws.com";
    assert.equal(
      advertised,
      `CLIENT://${name}:9092,CLIENT_SECURE://${name}:9094,REPLICATION://169.254.128.2:9095`,
    );
  });

  test("has nothing but SCRAM where only SCRAM comes in, and leaves IAM to others", () => {
    const authentication = { unauthenticated: false, iam: true, scram: true, tlsAuthorities: [] };
    const all = properties(cluster(3, { authentication, clientBroker: "TLS" }), 1);
    assert.match(all.listeners ?? "", /^CLIENT_SASL_SCRAM:\/\/10\.1\.0\.4:9096,REPLICATION/);
    assert.equal(all["sasl.enabled.mechanisms"], "SCRAM-SHA-512");
  });

  test("asks for certificates where they are the only proof", () => {
    const tls = (unauthenticated: boolean, tlsAuthorities: readonly string[]) =>
      properties(
        cluster(3, { authentication: { unauthenticated, iam: false, scram: false, tlsAuthorities } }),
        1,
      )["listener.name.client_secure.ssl.client.auth"];
    assert.deepEqual(
      [tls(true, []), tls(true, ["arn:ca"]), tls(false, ["arn:ca"])],
      ["none", "requested", "required"],
    );
  });

  test("makes three controllers, on the service's own network, and brokers of the others", () => {
    const voters = "1@169.254.128.1:9093,2@169.254.128.2:9093,3@169.254.128.3:9093";
    const roles = [1, 3, 4, 6].map((number) => {
      const all = properties(cluster(6), number);
      assert.equal(all["controller.quorum.voters"], voters);
      assert.equal(all.listeners?.includes("CONTROLLER"), number <= 3);
      return all["process.roles"];
    });
    assert.deepEqual(roles, ["broker,controller", "broker,controller", "broker", "broker"]);
  });

  test("has one controller where two would both be needed", () => {
    assert.equal(properties(cluster(2), 1)["controller.quorum.voters"], "1@169.254.128.1:9093");
    assert.equal(properties(cluster(2), 2)["process.roles"], "broker");
  });

  test("replicates by the number of zones, as MSK does", () => {
    const replication = (count: number) => {
      const all = properties(cluster(count), 1);
      return [
        all["default.replication.factor"],
        all["min.insync.replicas"],
        all["offsets.topic.replication.factor"],
      ];
    };
    assert.deepEqual(replication(3), ["3", "2", "3"]);
    assert.deepEqual(replication(6), ["3", "2", "3"]);
    assert.deepEqual(replication(2), ["2", "1", "2"]);
  });
});
