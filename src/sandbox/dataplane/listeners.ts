/**
 * Sockets of this process that listen in another network namespace. They are opened there by a process that
 * lives for a moment and hands them over (listeners.opener.ts). Promises all of them or none. A socket keeps its
 * namespace alive: whoever has them closes them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type dgram from "node:dgram";
import { once } from "node:events";
import type net from "node:net";
import { fileURLToPath } from "node:url";
import { DataPlaneError, TOOLS_PATH } from "./holder.ts";

export interface Door {
  readonly protocol: "udp" | "tcp";
  readonly address: string;
  readonly port: number;
}

export interface Opened extends Door {
  readonly socket: dgram.Socket | net.Server;
}

/** What the opener says: the door whose socket comes along, or what went wrong. */
export type Handed = { readonly index: number } | { readonly error: string };

const OPENER = fileURLToPath(new URL("./listeners.opener.ts", import.meta.url));

/** `entry` leads into the namespace. Rejects with a DataPlaneError that says why not. */
export async function openDoors(entry: readonly string[], doors: readonly Door[]): Promise<Opened[]> {
  const [command = "", ...rest] = entry;
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", OPENER, JSON.stringify(doors)];
  const child = spawn(command, [...rest, ...node], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { PATH: TOOLS_PATH },
  });
  const handed: (Opened | undefined)[] = doors.map(() => undefined);
  const failure = await ended(child, (index, socket) => {
    const door = doors[index];
    if (door) handed[index] = { ...door, socket };
  }).catch((thrown: unknown) => String(thrown));
  const opened = handed.filter((one) => one !== undefined);
  if (opened.length === doors.length) return opened;
  for (const { socket } of opened) socket.close();
  throw new DataPlaneError(`the resolver's and the metadata service's ports could not be opened: ${failure}`);
}

/** What the opener said, once it has gone; every socket it sent has arrived by then. */
async function ended(child: ChildProcess, take: (index: number, socket: Opened["socket"]) => void) {
  let said = "";
  child.stderr?.on("data", (chunk) => (said += chunk));
  child.on("message", (message: Handed, socket) => {
    if ("error" in message) said += message.error;
    else if (socket) take(message.index, socket as Opened["socket"]);
  });
  const [[code, signal]] = await Promise.all([once(child, "close"), once(child, "disconnect")]);
  return said.trim() || `its opener ended with ${signal ?? code}`;
}
