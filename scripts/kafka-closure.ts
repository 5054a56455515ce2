/**
 * Writes src/sandbox/brokers/closure.json: `node scripts/kafka-closure.ts VERSION`. Maven resolves what that version
 * of Apache Kafka needs to run, and its own storage tool says what a new node's disk begins with. Needs mvn and java,
 * and reaches Maven Central the way mvn does.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const TARGET = path.join(import.meta.dirname, "../src/sandbox/brokers/closure.json");

/** Where Kafka's log goes; its own distribution brings another one, which is not among what it depends on. */
const LOGGER = { groupId: "org.slf4j", artifactId: "slf4j-simple", version: "1.7.36" };

interface Artifact {
  readonly groupId: string;
  readonly artifactId: string;
  readonly version: string;
}

function dependency({ groupId, artifactId, version }: Artifact): string {
  return `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
}

function project(artifacts: readonly Artifact[]): string {
  const own =
    "<modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>a</artifactId><version>1</version>";
  return `<project>${own}<dependencies>${artifacts.map(dependency).join("")}</dependencies></project>`;
}

/** The jars, in a folder that is laid out like a repository. */
function resolved(folder: string, version: string): string {
  const jars = path.join(folder, "jars");
  const kafka = { groupId: "org.apache.kafka", artifactId: "kafka_2.13", version };
  writeFileSync(path.join(folder, "pom.xml"), project([kafka, LOGGER]));
  const goal = ["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"];
  execFileSync("mvn", [...goal, `-DoutputDirectory=${jars}`, "-Dmdep.useRepositoryLayout=true"], {
    cwd: folder,
    stdio: "inherit",
  });
  return jars;
}

function listed(jars: string) {
  return globSync("**/*.jar", { cwd: jars })
    .sort()
    .map((name) => {
      const bytes = readFileSync(path.join(jars, name));
      return { path: name, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
    });
}

/** What the version's own tool writes for any node of any new cluster. */
function checkpoint(folder: string, jars: string): string {
  const data = path.join(folder, "data");
  const config = path.join(folder, "server.properties");
  const lines = [
    "process.roles=broker,controller",
    "node.id=1",
    "controller.quorum.voters=1@127.0.0.1:9093",
    "listeners=BROKER://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
    "listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name=BROKER",
    "controller.listener.names=CONTROLLER",
    `log.dirs=${data}`,
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const classpath = globSync("**/*.jar", { cwd: jars }).map((name) => path.join(jars, name));
  const clusterId = Buffer.alloc(16, 1).toString("base64url");
  const format = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", config];
  execFileSync("java", ["-cp", classpath.join(":"), ...format], { stdio: "inherit" });
  return readFileSync(path.join(data, "bootstrap.checkpoint")).toString("base64");
}

const [version = ""] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+$/.test(version))
  throw new Error("say which version: node scripts/kafka-closure.ts 4.1.1");
const folder = mkdtempSync(path.join(tmpdir(), "kafka-closure-"));
try {
  const jars = resolved(folder, version);
  const list = { version, jars: listed(jars), checkpoint: checkpoint(folder, jars) };
  writeFileSync(TARGET, `${JSON.stringify(list, null, 2)}\n`);
  console.log(`${TARGET}: ${list.jars.length} jars`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
