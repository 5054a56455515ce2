/**
 * Who may come into a cluster by SASL/SCRAM: the names and passwords in the secrets that are associated with it, as
 * MSK reads them. A secret without both is nobody's. Pure but for `applyUsers`, which makes Kafka know them.
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-tutorial.html
 */
import type net from "node:net";
import type { ClusterRow } from "../serviceRows.ts";
import type { Tables } from "../world.ts";
import { alterScramUsers, type ScramUser, scramUsers } from "./kafkaWire.ts";

export interface Users {
  readonly users: readonly ScramUser[];
  /** ARNs of secrets that name nobody. */
  readonly unreadable: readonly string[];
}

export function usersOf({ secrets }: Pick<Tables, "secrets">, { secretArns }: ClusterRow): Users {
  const read = secretArns.map((arn) => ({ arn, user: userIn(secrets.get(arn)?.value ?? "") }));
  const users = new Map(read.flatMap(({ user }) => (user ? [[user.name, user] as const] : [])));
  return {
    users: [...users.values()],
    unreadable: read.flatMap(({ arn, user }) => (user ? [] : [arn])),
  };
}

function userIn(secret: string): ScramUser | undefined {
  try {
    const { username, password } = JSON.parse(secret) as Readonly<Record<string, unknown>>;
    return typeof username === "string" && typeof password === "string" && username !== ""
      ? { name: username, password }
      : undefined;
  } catch {
    return undefined;
  }
}

/** From then on these come in, and nobody else. */
export async function applyUsers(socket: net.Socket, users: readonly ScramUser[]): Promise<void> {
  const names = new Set(users.map(({ name }) => name));
  const remove = (await scramUsers(socket)).filter((name) => !names.has(name));
  if (remove.length + users.length > 0) await alterScramUsers(socket, { remove, set: users });
}
