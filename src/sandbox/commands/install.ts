/**
 * `letsdata sandbox install kafka`: brings Apache Kafka to this machine, for the brokers of the sandbox's clusters.
 */
import path from "node:path";
import { CommandError } from "../errors.ts";
import type { CommandContext, SandboxCommand } from "./command.ts";

interface InstallOptions {
  readonly software: string;
  readonly dataDir?: string;
  readonly mavenUrl?: string;
}

const MAVEN_CENTRAL = "https://repo1.maven.org/maven2";

async function installKafka(context: CommandContext, options: InstallOptions): Promise<void> {
  const { cwd, env, print, log, signal, isTerminal } = context;
  const { CLOSURE } = await import("../brokers/closure.ts");
  const { install, InstallError } = await import("../brokers/install.ts");
  const { DATA_DIR, findSoftware } = await import("../brokers/software.ts");
  const home = path.resolve(cwd, options.dataDir ?? env.LETSDATA_DATA_DIR ?? DATA_DIR, "kafka");
  let said = -1;
  const progress = (done: number, all: number) => {
    const tenth = Math.floor((10 * done) / all);
    if (tenth === said) return;
    said = tenth;
    if (isTerminal) log(`${megabytes(done)} of ${megabytes(all)} MB`);
  };
  try {
    const repository = repositoryFrom(options.mavenUrl ?? MAVEN_CENTRAL);
    const brought = await install({ closure: CLOSURE, home, repository, signal, progress });
    print(
      `Apache Kafka ${CLOSURE.version} is in ${home}: ${brought} files brought, ${CLOSURE.jars.length - brought} were there`,
    );
  } catch (thrown) {
    if (thrown instanceof InstallError)
      throw new CommandError(
        "unavailable",
        thrown.message,
        "Run it again: what has come is kept. --mavenUrl names another repository.",
      );
    throw thrown;
  }
  const found = await findSoftware({ home, javaHome: env.JAVA_HOME });
  if ("missing" in found) log(`before brokers can run: ${found.missing}`);
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(0);
}

function repositoryFrom(text: string): string {
  if (URL.canParse(text) && /^(https?|file):$/.test(new URL(text).protocol)) return text;
  throw new RangeError(`"${text}" is no repository: an https, http or file URL is one`);
}

export const installCommand: SandboxCommand<InstallOptions> = {
  name: "install",
  brief: "Bring Apache Kafka to this machine, for the brokers of clusters",
  description:
    "Takes one version of Apache Kafka with all that it needs from Maven Central, 43 MB in all, checks each file's SHA-256, and keeps it in the data folder. What was interrupted goes on when it is run again. Kafka needs Java 17 or later (Debian: openjdk-17-jre-headless). A sandbox that is started afterwards runs it: the brokers of clusters are Kafka then, and plain TCP listeners otherwise.",
  examples: [
    { what: "", command: "letsdata sandbox install kafka" },
    {
      what: "From another Maven repository",
      command: "letsdata sandbox install kafka --mavenUrl https://maven.example.com/central",
    },
  ],
  options: [
    {
      name: "dataDir",
      brief: "Folder with the data of `serve` (default: LETSDATA_DATA_DIR, or .letsdata)",
      kind: "text",
      placeholder: "folder",
    },
    {
      name: "mavenUrl",
      brief: "Maven repository to take it from: https, http, or a folder as a file URL",
      kind: "text",
      default: MAVEN_CENTRAL,
      placeholder: "url",
    },
  ],
  words: [{ name: "software", placeholder: "SOFTWARE", brief: "What to bring", values: ["kafka"] }],
  run: installKafka,
};
