import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { layout, usableAddresses } from "../network/layout.ts";
import { cidr } from "./cidr.ts";
import {
  BESIDE_BROKERS,
  brokerCount,
  FREE_ADDRESSES,
  functionArn,
  INSTANCE_TYPES,
  KAFKA_VERSIONS,
  type KafkaRequest,
  kafkaCluster,
  kafkaProblems,
  mostBrokersPerZone,
} from "./kafka.ts";
import { SIZE_MASK, VPC_SIZES } from "./model.ts";

describe("what is taken where nothing is said", () => {
  test("suits the size, is known, and is refused by none of our own rules", () => {
    for (const size of VPC_SIZES)
      for (const clusterType of ["provisioned", "express"] as const) {
        const made = kafkaCluster({ clusterType }, size);
        assert.ok(made);
        assert.ok(INSTANCE_TYPES[clusterType].includes(made.instanceType));
        assert.ok(KAFKA_VERSIONS[clusterType].includes(made.version));
        assert.equal(made.volumeGiB === null, clusterType === "express");
        const { topic: _, partitions: __, replicationFactor: ___, volumeGiB, ...said } = made;
        const asked = { ...said, ...(volumeGiB !== null && { volumeGiB }) };
        assert.deepEqual(kafkaProblems(asked, size), []);
        assert.deepEqual(kafkaCluster(asked, size), made);
      }
  });

  test("without a section it is provisioned; none is none", () => {
    assert.equal(kafkaCluster({}, "small")?.clusterType, "provisioned");
    assert.equal(kafkaCluster({ clusterType: "none" }, "small"), null);
  });
});

test("a topic has one partition for each broker and three copies, unless somebody says otherwise", () => {
  const made = (asked: KafkaRequest) => {
    const { topic, partitions, replicationFactor } = kafkaCluster(asked, "large") ?? {};
    return [topic, partitions, replicationFactor];
  };
  assert.deepEqual(made({}), [null, null, null]);
  assert.deepEqual(made({ topic: "events" }), ["events", 6, 3]);
  assert.deepEqual(made({ topic: "events", brokersPerZone: 1 }), ["events", 3, 3]);
  const own = { topic: "events", partitions: 50, replicationFactor: 2 };
  assert.deepEqual(made(own), ["events", 50, 2]);
});

describe("what is refused, with what would be right", () => {
  const refused = (asked: KafkaRequest, size: (typeof VPC_SIZES)[number] = "small") =>
    kafkaProblems(asked, size).map(({ field, message }) => `${field}: ${message}`);

  test("an instance type of the other kind of cluster, or of none", () => {
    assert.match(
      refused({ instanceType: "express.m7g.large" })[0] ?? "",
      /^instanceType: .*known: kafka\.t3/,
    );
    assert.match(
      refused({ clusterType: "express", instanceType: "kafka.m7g.large" })[0] ?? "",
      /known: express\.m7g\.large/,
    );
  });

  test("a version in ZooKeeper mode, with the KRaft one", () => {
    assert.match(refused({ version: "3.9.x" })[0] ?? "", /^version: .*did you mean 3\.9\.x\.kraft\?$/);
    assert.match(refused({ version: "2.8.1" })[0] ?? "", /is no KRaft version/);
    assert.match(refused({ clusterType: "express", version: "3.8.x.kraft" })[0] ?? "", /3\.9\.x\.kraft/);
    assert.match(
      refused({ instanceType: "kafka.t3.small", version: "4.0.x.kraft" })[0] ?? "",
      /not for kafka\.t3\.small/,
    );
  });

  test("brokers that would leave fewer than four addresses free, with how many would do", () => {
    assert.deepEqual(refused({ brokersPerZone: 3 }), []);
    assert.deepEqual(refused({ brokersPerZone: 4 }), [
      "brokersPerZone: 4 would leave 3 of 11 addresses free in each private subnet of a small VPC, and 4 must " +
        "stay free: at most 3, or take vpcSize medium",
    ]);
    assert.match(refused({ brokersPerZone: 21 }, "medium")[0] ?? "", /63 brokers.*60 at most: at most 20$/);
  });

  test("storage of express brokers, and too much or too little of others", () => {
    assert.match(refused({ clusterType: "express", volumeGiB: 100 })[0] ?? "", /has no size/);
    assert.match(refused({ volumeGiB: 20_000 })[0] ?? "", /1 to 16384 GiB/);
  });

  test("a topic's numbers without a topic; anything else beside none", () => {
    assert.deepEqual(refused({ partitions: 3, replicationFactor: 3 }), [
      "partitions: is of a topic, and none is named: add topic",
      "replicationFactor: is of a topic, and none is named: add topic",
    ]);
    assert.deepEqual(refused({ clusterType: "none", topic: "x" }), ["topic: is not for clusterType none"]);
  });

  test("more copies than brokers, and fewer than express brokers keep", () => {
    const topic = "events";
    assert.deepEqual(refused({ topic, replicationFactor: 4 }), [
      "replicationFactor: 4 copies need as many brokers, and there are 3",
    ]);
    assert.deepEqual(refused({ topic, replicationFactor: 4 }, "large"), []);
    const express = { clusterType: "express", topic } as const;
    assert.match(refused({ ...express, replicationFactor: 2 })[0] ?? "", /keeps 3 copies of every topic/);
    assert.deepEqual(refused({ ...express, replicationFactor: 3 }), []);
  });

  test("more partitions than AWS recommends for all that a cluster holds", () => {
    const small = { topic: "events", instanceType: "kafka.t3.small" };
    assert.deepEqual(refused({ ...small, partitions: 300 }), []);
    assert.deepEqual(refused({ ...small, partitions: 301 }), [
      "partitions: 301 partitions of 3 copies are more than AWS recommends for all topics of 3 brokers " +
        "kafka.t3.small: at most 300",
    ]);
    assert.deepEqual(refused({ ...small, partitions: 900, replicationFactor: 1 }), []);
    assert.match(refused({ topic: "e", partitions: 1_001 })[0] ?? "", /at most 1000$/);
    assert.deepEqual(refused({ topic: "e", partitions: 4_000, instanceType: "kafka.m5.24xlarge" }), []);
  });

  test("names that are no topic's", () => {
    for (const topic of ["", "a b", "ä", "a/b", "x".repeat(250), ".", "..", "__consumer_offsets"])
      assert.match(refused({ topic })[0] ?? "", /^topic: /, topic);
    for (const topic of ["x".repeat(249), "a.b_c-D9", "...", "_x"])
      assert.deepEqual(refused({ topic }), [], topic);
  });
});

test("the most brokers leave the free addresses that the layout has", () => {
  for (const size of VPC_SIZES) {
    const range = cidr(`10.4.0.0/${SIZE_MASK[size]}`);
    const { privateSubnets } = layout({ cidr: range, size, zoneIds: ["a", "b", "c"] });
    const most = mostBrokersPerZone(size);
    assert.ok(brokerCount({ brokersPerZone: most }) <= 60);
    for (const subnet of privateSubnets)
      assert.ok(usableAddresses(subnet.cidr) - most - BESIDE_BROKERS >= FREE_ADDRESSES, size);
  }
});

test("a function's ARN is read whole, and never a version or an alias", () => {
  const arn = "arn:aws:lambda:eu-west-1:123456789012:function:clicks-task";
  assert.deepEqual(functionArn(arn), { region: "eu-west-1", account: "123456789012", name: "clicks-task" });
  for (const bad of [`${arn}:7`, `${arn}:live`, "clicks-task", arn.replace("lambda", "s3"), `${arn} `])
    assert.equal(functionArn(bad), null, bad);
});
