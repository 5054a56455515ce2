/**
 * Finds out which API to ask and with which key: flags, environment, profile, then the data folder of a server
 * started here. Promises that a key from a file is only ever sent to the URL it stands beside. Refuses a profiles
 * file that others may read.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Failure } from "../domain/failure.ts";
import type { CliContext } from "./context.ts";

export interface Connection {
  readonly url: string;
  readonly apiKey: string;
}

export interface Profile extends Connection {}

type Surroundings = Pick<CliContext, "env" | "cwd" | "home">;

/** Flags of the command line. */
export interface ConnectionFlags {
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly profile?: string | undefined;
}

interface Source {
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  /** The user named URL and key each for itself: any may be combined with any. */
  readonly spoken: boolean;
}

/** Throws `invalid` without a URL, `unauthenticated` without a key that belongs to it. */
export function connectionOf(flags: ConnectionFlags, around: Surroundings): Connection {
  const sources = [...sourcesOf(flags, around)];
  const url = sources.find((source) => source.url)?.url;
  if (!url) throw nowhere();
  const apiKey = sources.find((source) => source.apiKey && (source.spoken || sameServer(source.url, url)));
  if (!apiKey?.apiKey) throw keyless(url);
  return { url, apiKey: apiKey.apiKey };
}

function* sourcesOf(flags: ConnectionFlags, around: Surroundings): Generator<Source> {
  const { env } = around;
  yield { url: flags.url, apiKey: flags.apiKey, spoken: true };
  if (flags.profile) yield { ...namedProfile(flags.profile, around), spoken: false };
  yield { url: env.LETSDATA_URL, apiKey: env.LETSDATA_API_KEY, spoken: true };
  if (env.LETSDATA_PROFILE && !flags.profile)
    yield { ...namedProfile(env.LETSDATA_PROFILE, around), spoken: false };
  // A complete answer is found already: a broken file that is not needed should not stand in the way.
  if ((flags.url ?? env.LETSDATA_URL) && (flags.apiKey ?? env.LETSDATA_API_KEY)) return;
  if (!flags.profile && !env.LETSDATA_PROFILE) yield* defaultProfile(around);
  yield* localServer(around);
}

function sameServer(one: string | undefined, other: string): boolean {
  const origin = one === undefined ? undefined : URL.parse(one)?.origin;
  return origin !== undefined && origin === URL.parse(other)?.origin;
}

function nowhere(): Failure {
  return new Failure("invalid", "It is not known which API to ask", {
    hint:
      "Start one here with `letsdata serve`, or give --url and --apiKey, or set LETSDATA_URL and " +
      "LETSDATA_API_KEY, or keep them with `letsdata profiles set`.",
  });
}

function keyless(url: string): Failure {
  return new Failure("unauthenticated", `There is no key for ${url}`, {
    hint: "Give --apiKey, or set LETSDATA_API_KEY. A key of a profile is sent to the profile's URL only.",
  });
}

export function profilesPath({ env, home }: Pick<Surroundings, "env" | "home">): string {
  return join(env.XDG_CONFIG_HOME || join(home, ".config"), "letsdata", "profiles.json");
}

/** Every profile by name; none when there is no file. Throws `forbidden` when others may read it. */
export function readProfiles(around: Pick<Surroundings, "env" | "home">): Record<string, Profile> {
  const path = profilesPath(around);
  if (!existsSync(path)) return {};
  if ((statSync(path).mode & 0o077) !== 0)
    throw new Failure("forbidden", `Others may read ${path}, and it holds keys`, {
      hint: `Run: chmod 600 ${path}`,
    });
  const content = jsonObject(path);
  for (const [name, profile] of Object.entries(content))
    if (!isConnection(profile))
      throw new Failure("invalid", `Profile "${name}" in ${path} needs a url and an apiKey`);
  return content as Record<string, Profile>;
}

function namedProfile(name: string, around: Surroundings): Profile {
  const profiles = readProfiles(around);
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile) return profile;
  const known = Object.keys(profiles).join(", ") || "none";
  throw new Failure("invalid", `There is no profile "${name}"`, {
    hint: `Known are: ${known}. Make it with \`letsdata profiles set\`.`,
  });
}

function* defaultProfile(around: Surroundings): Generator<Source> {
  const profiles = readProfiles(around);
  if (Object.hasOwn(profiles, "default")) yield { ...profiles.default, spoken: false };
}

/**
 * The URL of the sandbox cloud: the one given, or that of a server started here. Throws `invalid` when there is
 * neither.
 */
export function sandboxUrlOf(given: string | undefined, around: Pick<Surroundings, "env" | "cwd">): string {
  if (given !== undefined) return httpUrl("--sandboxUrl", given);
  const path = credentialsPath(around);
  const url = existsSync(path) ? jsonObject(path).sandboxUrl : undefined;
  if (typeof url === "string") return httpUrl(`sandboxUrl of ${path}`, url);
  const why = url === null ? `${path} is of a server that works on AWS` : `there is no ${path}`;
  throw new Failure("invalid", `It is not known which sandbox is meant: ${why}`, {
    hint: "Start one here with `letsdata serve`, or give --sandboxUrl.",
  });
}

function httpUrl(from: string, given: string): string {
  const url = URL.parse(given);
  if (url?.protocol === "http:" || url?.protocol === "https:") return given.replace(/\/$/, "");
  throw new Failure("invalid", `${from} "${given}" is not the URL of a sandbox`, {
    hint: "Write it as http://host:port.",
  });
}

function credentialsPath({ env, cwd }: Pick<Surroundings, "env" | "cwd">): string {
  return join(resolve(cwd, env.LETSDATA_DATA_DIR || ".letsdata"), "credentials.json");
}

/** `serve` writes the operator's key and its URL into its data folder. */
function* localServer(around: Surroundings): Generator<Source> {
  const path = credentialsPath(around);
  if (!existsSync(path)) return;
  const content = jsonObject(path);
  if (!isConnection(content)) throw new Failure("invalid", `${path} needs a url and an apiKey`);
  yield { url: content.url, apiKey: content.apiKey, spoken: false };
}

function isConnection(value: unknown): value is Connection {
  if (typeof value !== "object" || value === null) return false;
  const { url, apiKey } = value as Record<string, unknown>;
  return typeof url === "string" && typeof apiKey === "string";
}

function jsonObject(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (thrown) {
    throw new Failure("invalid", `Cannot read ${path}`, {
      hint: thrown instanceof Error ? thrown.message : String(thrown),
      cause: thrown,
    });
  }
  throw new Failure("invalid", `${path} holds no JSON object`);
}
