/**
 * What brokers are run with: Apache Kafka in a folder (its `libs`), and Java. Promises to say in one sentence what
 * is missing and what would bring it. Takes Kafka from the version on whose format of a new disk is known here.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { TOOLS_PATH } from "../dataplane/holder.ts";
import { CLOSURE, fileName } from "./closure.ts";

export interface Software {
  readonly version: string;
  /** Java's, with a star for all jars of a folder. */
  readonly classpath: string;
  readonly java: string;
}

export type Found = { readonly software: Software } | { readonly missing: string };

export interface Places {
  /** The folder with Kafka's `libs`. */
  readonly home: string;
  /** The environment's JAVA_HOME. */
  readonly javaHome?: string | undefined;
}

interface Around {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly dataDir: string | undefined;
}

/** Where everything of this program is kept unless it is told otherwise. */
export const DATA_DIR = ".letsdata";

/** Where Kafka may be by what was asked for: a folder, `off`, or `auto`; undefined = it is not to be run. */
export function kafkaPlaces(asked = "auto", { env, cwd, dataDir }: Around): Places | undefined {
  if (asked === "off") return undefined;
  const javaHome = env.JAVA_HOME;
  if (asked !== "auto") return { home: path.resolve(cwd, asked), javaHome };
  const installed = path.resolve(cwd, dataDir ?? env.LETSDATA_DATA_DIR ?? DATA_DIR, "kafka");
  return { home: env.KAFKA_HOME || installed, javaHome };
}

/** Java's oldest version that runs the brokers of Kafka 4: https://kafka.apache.org/41/getting-started/compatibility/ */
const OLDEST_JAVA = 17;

export async function findSoftware({ home, javaHome }: Places): Promise<Found> {
  if (!existsSync(path.join(home, "libs")))
    return { missing: `there is no Apache Kafka in ${home}; \`letsdata sandbox install kafka\` brings it` };
  const kafka = kafkaIn(path.join(home, "libs"));
  if ("missing" in kafka) return kafka;
  const java = javaIn(javaHome);
  const missing = await javaMissing(java);
  return missing ? { missing } : { software: { ...kafka, java } };
}

function kafkaIn(
  libs: string,
): { readonly version: string; readonly classpath: string } | { missing: string } {
  const names = new Set(readdirSync(libs));
  const version = [...names].flatMap((name) => /^kafka_2\.13-(\d+\.\d+\.\d+)\.jar$/.exec(name)?.[1] ?? [])[0];
  if (version === undefined) return { missing: `there is no Apache Kafka in ${libs}` };
  if (!isAtLeast(version, CLOSURE.version))
    return { missing: `Apache Kafka ${version} in ${libs} is too old: ${CLOSURE.version} is the oldest` };
  const lacks = CLOSURE.jars.map(fileName).filter((name) => !names.has(name));
  if (version === CLOSURE.version && lacks.length > 0 && !isDistribution(names))
    return { missing: `Apache Kafka in ${libs} is not complete; \`letsdata sandbox install kafka\` goes on` };
  return { version, classpath: path.join(libs, "*") };
}

/** Kafka's own has another logger, and further parts. */
function isDistribution(names: ReadonlySet<string>): boolean {
  return [...names].some((name) => name.startsWith("log4j-slf4j-impl-"));
}

function isAtLeast(version: string, oldest: string): boolean {
  return version.localeCompare(oldest, "en", { numeric: true }) >= 0;
}

/** The command; `javaHome` is the environment's JAVA_HOME. */
export function javaIn(javaHome: string | undefined): string {
  return javaHome ? path.join(javaHome, "bin/java") : "java";
}

/** What is missing, and what would bring it; undefined when that Java runs brokers. */
export async function javaMissing(java: string): Promise<string | undefined> {
  const said = await new Promise<string | undefined>((resolve) => {
    execFile(java, ["-version"], { env: { PATH: TOOLS_PATH } }, (error, _stdout, stderr) =>
      resolve(error ? undefined : stderr),
    );
  });
  const hint = `Kafka needs Java ${OLDEST_JAVA} (Debian: openjdk-17-jre-headless)`;
  if (said === undefined) return `Java is missing: ${java} does not run; ${hint}`;
  const version = /version "(\d+)/.exec(said)?.[1];
  if (version !== undefined && Number(version) >= OLDEST_JAVA) return undefined;
  return `Java ${version ?? "of an unknown version"} is too old; ${hint}`;
}
