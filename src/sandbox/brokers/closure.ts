/**
 * The Apache Kafka that the sandbox installs: one pinned version with all that it needs to run, as it lies in Maven
 * Central, each file with its size and SHA-256. The list is generated (`node scripts/kafka-closure.ts`) and checked
 * when it is read: what is not a plain list of jars is refused. With it comes what the version's own
 * `kafka-storage format` writes for a new cluster, so that no Java has to start for that.
 */
import list from "./closure.json" with { type: "json" };

export interface Jar {
  /** Below a Maven repository: `org/slf4j/slf4j-api/1.7.36/slf4j-api-1.7.36.jar`. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Closure {
  readonly version: string;
  readonly jars: readonly Jar[];
  /** The file `bootstrap.checkpoint` of a new node. */
  readonly checkpoint: Buffer;
}

export function fileName({ path }: Jar): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Throws a RangeError that says what is wrong. */
export function closureFrom(given: { version: string; jars: readonly Jar[]; checkpoint: string }): Closure {
  const { version, jars, checkpoint } = given;
  for (const jar of jars) {
    // A path that leads out of the folder would be written there.
    if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)+\.jar$/.test(jar.path))
      throw new RangeError(`"${jar.path}" is no jar in a Maven repository`);
    if (!/^[0-9a-f]{64}$/.test(jar.sha256)) throw new RangeError(`${jar.path} has no SHA-256`);
    if (!Number.isSafeInteger(jar.bytes) || jar.bytes < 1) throw new RangeError(`${jar.path} has no size`);
  }
  const twice = jars.find((jar, at) => jars.findIndex((one) => fileName(one) === fileName(jar)) !== at);
  if (twice) throw new RangeError(`${fileName(twice)} is listed twice`);
  if (!jars.some((jar) => fileName(jar) === `kafka_2.13-${version}.jar`))
    throw new RangeError(`Apache Kafka ${version} itself is not listed`);
  return { version, jars, checkpoint: Buffer.from(checkpoint, "base64") };
}

export const CLOSURE: Closure = closureFrom(list);
