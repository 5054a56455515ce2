/**
 * `letsdata profiles`: keeps URL and key of an API under a name, in a file only its owner may read. Promises that
 * the file is replaced as a whole, never half written, and that a listing shows no key.
 */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Failure } from "../domain/failure.ts";
import type { LocalGroup, OptionValues } from "./commands.ts";
import { type Profile, profilesPath, readProfiles } from "./connection.ts";
import type { CliContext } from "./context.ts";
import { table } from "./render.ts";

const NAME = {
  name: "name",
  kind: "string",
  brief: "Name of the profile; `default` is taken when none is named",
  default: "default",
  placeholder: "NAME",
} as const;

export const profilesGroup: LocalGroup<CliContext> = {
  path: ["profiles"],
  brief: "URLs and keys kept under a name",
  description:
    "Profiles stand in $XDG_CONFIG_HOME/letsdata/profiles.json (~/.config/letsdata/profiles.json), readable by you alone. " +
    "`--profile NAME` or LETSDATA_PROFILE picks one; `default` is taken when none is named.",
  commands: [
    {
      path: ["profiles", "set"],
      brief: "Keep a URL and a key",
      description: "Makes the profile or replaces it. `--apiKey -` reads the key from standard input.",
      examples: [
        {
          what: "The production API, the key from a password store",
          command:
            "pass letsdata | letsdata profiles set --name prod --url https://api.example.com --apiKey -",
        },
      ],
      options: [
        { name: "url", kind: "string", brief: "Where the API is", required: true, placeholder: "URL" },
        {
          name: "apiKey",
          kind: "string",
          brief: "The key, or - for standard input",
          required: true,
          placeholder: "KEY",
        },
        NAME,
      ],
      run: setProfile,
    },
    {
      path: ["profiles", "list"],
      brief: "List the profiles",
      description: "Names and URLs, and how each key begins.",
      examples: [{ what: "What is kept", command: "letsdata profiles list" }],
      options: [],
      run: listProfiles,
    },
    {
      path: ["profiles", "remove"],
      brief: "Remove a profile",
      description:
        "Forgets the URL and the key. The key itself stays valid: revoke it with `letsdata keys revoke`.",
      examples: [{ what: "Forget one", command: "letsdata profiles remove --name prod" }],
      options: [{ ...NAME, brief: "Name of the profile" }],
      run: removeProfile,
    },
  ],
};

async function setProfile(options: OptionValues, context: CliContext): Promise<void> {
  const name = String(options.name);
  const url = String(options.url);
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
    throw new Failure("invalid", `"${url}" is not the URL of an API`, {
      hint: "Write it as http://host:port.",
    });
  const apiKey = options.apiKey === "-" ? await keyFrom(context) : String(options.apiKey);
  if (apiKey === "") throw new Failure("invalid", "The key is empty");
  write({ ...readProfiles(context), [name]: { url, apiKey } }, context);
  context.stderr.write(`Profile "${name}" is kept in ${profilesPath(context)}.\n`);
}

async function listProfiles(_options: OptionValues, context: CliContext): Promise<void> {
  const rows = Object.entries(readProfiles(context)).map(([name, { url, apiKey }]) => [
    name,
    url,
    `${apiKey.slice(0, Math.min(8, apiKey.length / 3))}...`,
  ]);
  context.stdout.write(
    await table({ head: ["name", "url", "apiKey"], rows, columns: context.stdout.columns }),
  );
}

async function removeProfile(options: OptionValues, context: CliContext): Promise<void> {
  const name = String(options.name);
  const { [name]: gone, ...rest } = readProfiles(context);
  if (!gone) throw new Failure("notFound", `There is no profile "${name}"`);
  write(rest, context);
  context.stderr.write(`Profile "${name}" is removed.\n`);
}

async function keyFrom({ stdin }: CliContext): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of stdin) parts.push(typeof part === "string" ? Buffer.from(part) : part);
  return Buffer.concat(parts).toString("utf8").trim();
}

function write(profiles: Record<string, Profile>, context: CliContext): void {
  const path = profilesPath(context);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
