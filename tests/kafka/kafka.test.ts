/**
 * Brokers that are Apache Kafka, used by a client that is not ours from a host in a peered VPC: what is written is
 * read, over TLS and by a password, while a broker is killed; and what is said when brokers do not start. With
 * FULL=1, where Java is; Kafka is brought by `letsdata sandbox install kafka` into a folder of the project.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import * as kafka from "@aws-sdk/client-kafka";
import { strangersDemo } from "../support/demos.ts";
import { opener, whyNot } from "./fullKafka.ts";
import { KAFKA_HOME, type KafkaNetwork } from "./kafkaNetwork.ts";
import type { ProgramInput } from "./program.ts";

const run = promisify(execFile);
const skip = await whyNot();

const SCRAM = { ClientAuthentication: { Sasl: { Scram: { Enabled: true } } } };
const USER = { username: "clicks", password: "sésame, öffne dich" };
const COUNT = 1_000;

/** What is undone at the end, the last first. */
const undo: (() => unknown)[] = [];
after(async () => {
  for (const one of undo.reverse()) await one();
});

const opened = opener(undo);

describe("brokers that are Kafka", { skip, timeout: 900_000 }, () => {
  let network: KafkaNetwork;
  let arn = "";
  let brokers: readonly string[] = [];
  let authority = "";
  const victim = () => brokers[1]?.split(":")[0] ?? "";
  const does = (what: ProgramInput["does"], more: object = {}) =>
    network.client(network.customer, {
      brokers,
      authority,
      user: USER,
      topic: "clicks",
      does: what,
      ...more,
    });

  test("make the cluster ACTIVE when they serve, and not before", async () => {
    network = await opened({ settings: { mskHealingMs: 1_000 } });
    arn = await network.makeCluster("clicks", SCRAM);
    // mskCreatingMs is 0: only the brokers are waited for.
    assert.equal((await network.cluster(arn)).State, "CREATING");
    const { State, StateInfo } = await network.become(arn, "ACTIVE", "FAILED");
    assert.deepEqual([State, StateInfo], ["ACTIVE", undefined]);
    brokers = ((await network.bootstrap(arn)).BootstrapBrokerStringSaslScram ?? "").split(",");
    authority = String((await network.own("GET ca")).value.certificate);
    assert.equal(brokers.length, 3);
  });

  test("let in who has a secret that is associated, over TLS under the sandbox's authority, and nobody else", async () => {
    await network.admit(arn, USER);
    await does("createTopic");
    const stranger = { ...USER, password: "another" };
    await assert.rejects(
      does("createTopic", { topic: "theirs", user: stranger, retries: 0 }),
      /[Aa]uthentication/,
    );
    await assert.rejects(does("createTopic", { topic: "theirs", authority: undefined, retries: 0 }));
  });

  test("keep what is written from a peered VPC, and give it back", async () => {
    await does("produce", { count: COUNT });
    assert.equal(new Set(await does("consume", { count: COUNT })).size, COUNT);
  });

  test("go on while one of them is killed, which comes back by itself", async () => {
    const reading = does("consume", { count: 2 * COUNT, group: "others" });
    assert.equal((await network.own(`POST brokers/${victim()}/kill`)).status, 204);
    await does("produce", { first: COUNT, count: COUNT });
    assert.equal(new Set(await reading).size, 2 * COUNT);
    await network.become(arn, "ACTIVE");
    assert.ok(network.log.some((line) => line.startsWith(`${victim()} has ended`)));
  });

  test("do not mind that one of them dies while a topic is made", async () => {
    const making = does("createTopic", { topic: "second" }).catch((thrown: Error) => thrown.message);
    await network.own(`POST brokers/${victim()}/kill`);
    const outcome = await making;
    await network.become(arn, "ACTIVE");
    // Three replicas need three brokers; who asks while there are two is told so by Kafka.
    if (typeof outcome === "string") await does("createTopic", { topic: "second" });
    await does("produce", { topic: "second", count: 10 });
    assert.equal((await does("consume", { topic: "second", count: 10, group: "second" })).length, 10);
  });

  test("a port that somebody else has is said, and the cluster fails when it stays so", async () => {
    // As soon as the broker leaves it.
    const script = `
      const take = () => {
        const server = require("node:net").createServer();
        server.once("error", () => setTimeout(take, 20)).listen(9096, "0.0.0.0");
      };
      take();`;
    const taken = network.run(victim(), process.execPath, "-e", script);
    await network.own(`POST brokers/${victim()}/kill`);
    const { StateInfo } = await network.become(arn, "FAILED");
    assert.match(StateInfo?.Message ?? "", /a port of it is taken by another process/);
    await network.msk.send(new kafka.DeleteClusterCommand({ ClusterArn: arn }));
    // It ends with its host.
    await taken;
    await network.brokersBecome();
  });
});

test("what brokers hold is there after a restart of the sandbox", { skip, timeout: 600_000 }, async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "letsdata-kept-"));
  undo.push(() => rmSync(dataDir, { recursive: true }));
  const before = await opened({ dataDir });
  await before.allow("10.1.0.0/16");
  const EncryptionInfo = { EncryptionInTransit: { ClientBroker: "PLAINTEXT" as const } };
  const arn = await before.makeCluster("clicks", { EncryptionInfo });
  await before.become(arn, "ACTIVE");
  const brokers = ((await before.bootstrap(arn)).BootstrapBrokerString ?? "").split(",");
  const { insider } = before;
  await before.client(insider, { brokers, does: "createTopic", topic: "clicks" });
  await before.client(insider, { brokers, does: "produce", topic: "clicks", count: 100 });
  await before.close();
  const later = await opened({ dataDir });
  await later.become(arn, "ACTIVE");
  const read = await later.client(insider, { brokers, does: "consume", topic: "clicks", count: 100 });
  assert.equal(new Set(read).size, 100);
  await later.msk.send(new kafka.DeleteClusterCommand({ ClusterArn: arn }));
  await later.brokersBecome();
  assert.deepEqual(readdirSync(path.join(dataDir, "clusters")), []);
});

describe("brokers that cannot be Kafka", { skip, timeout: 600_000 }, () => {
  test("without Java they are listeners, and why is said", async () => {
    const network = await opened({ kafka: { home: KAFKA_HOME, javaHome: "/nowhere/java" } });
    const arn = await network.makeCluster("clicks", SCRAM);
    const { StateInfo } = await network.become(arn, "ACTIVE");
    assert.match(StateInfo?.Message ?? "", /Java is missing: .*openjdk-17-jre-headless/);
  });

  test("on a full disk they do not start: the cluster fails, and can be deleted", async (t) => {
    const dataDir = mkdtempSync(path.join(tmpdir(), "letsdata-full-"));
    const folder = path.join(dataDir, "clusters");
    mkdirSync(folder);
    const mount = run("mount", ["-t", "tmpfs", "-o", "size=40k", "tmpfs", folder]);
    const isMounted = await mount.then(() => true).catch(() => false);
    undo.push(async () => {
      if (isMounted) await run("umount", ["-l", folder]);
      rmSync(dataDir, { recursive: true });
    });
    if (!isMounted) return t.skip("only root can make a small disk");
    const network = await opened({ dataDir });
    const arn = await network.makeCluster("clicks", SCRAM);
    const { StateInfo } = await network.become(arn, "FAILED", "ACTIVE");
    assert.match(StateInfo?.Message ?? "", /b-\d\.clicks.* did not start: .*disk.* is full/);
    await network.msk.send(new kafka.DeleteClusterCommand({ ClusterArn: arn }));
  });
});

// Here and not in a file of its own: three brokers at a time are enough for two cores.
test("npm run demo -- --kafka tells its story to the end", { skip, timeout: 600_000 }, async () => {
  const told = await strangersDemo("--kafka");
  assert.equal(told.code, 0, told.stdout + told.stderr);
  assert.match(told.stdout, /Done: 32 facts verified/);
  assert.deepEqual([told.asked, told.left], [[], []]);
});
