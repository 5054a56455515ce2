/**
 * A PostgreSQL server of a test's own, from the binaries of this machine: on a temporary folder, reachable by
 * a socket in it alone. Promises that nothing of it stays after `remove`. It does not fsync: tests that cut
 * the power use the embedded database.
 */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const NEEDED = ["initdb", "pg_ctl", "postgres"];
const SETTINGS = "-c listen_addresses='' -c fsync=off -c max_connections=120 -c shared_buffers=32MB";

export interface PgServer {
  url(database: string): string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

/** The folder with the newest binaries, or undefined when there are none. */
export function findPostgres(searchPath: string): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = fs.existsSync(debian) ? fs.readdirSync(debian) : [];
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((v) => path.join(debian, v, "bin"));
  const folders = [...searchPath.split(path.delimiter).filter(Boolean), ...newestFirst];
  return folders.find((folder) => NEEDED.every((name) => fs.existsSync(path.join(folder, name))));
}

/** Makes the server's folder and starts it. */
export async function startPostgres(binaries: string): Promise<PgServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "letsdata-pg-"));
  const owner = ownerOfServer();
  if (owner !== undefined) fs.chownSync(folder, owner.uid, owner.gid);
  const data = path.join(folder, "data");
  const call = (program: string, ...args: string[]) =>
    run(path.join(binaries, program), args, { cwd: folder, ...owner, timeout: 60_000 });
  const pgCtl = (...args: string[]) => call("pg_ctl", "-D", data, "-w", ...args);
  const server: PgServer = {
    url: (database) => `postgres://letsdata@/${database}?host=${encodeURIComponent(folder)}`,
    start: async () => {
      await pgCtl("-l", path.join(folder, "log"), "-o", `-k ${folder} ${SETTINGS}`, "start");
    },
    stop: async () => {
      await pgCtl("-m", "immediate", "stop");
    },
    remove: async () => {
      if (fs.existsSync(path.join(data, "postmaster.pid"))) await server.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
  await call("initdb", "-D", data, "-U", "letsdata", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8");
  await server.start();
  return server;
}

/** PostgreSQL refuses to run as root: another user of this machine then. */
function ownerOfServer(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = fs.readFileSync("/etc/passwd", "utf8").split("\n");
  const line = ["postgres:", "nobody:"].flatMap(
    (name) => users.find((user) => user.startsWith(name)) ?? [],
  )[0];
  const [, , uid, gid] = (line ?? "").split(":").map(Number);
  if (uid === undefined || gid === undefined)
    throw new Error("no user postgres or nobody to run PostgreSQL as");
  return { uid, gid };
}
