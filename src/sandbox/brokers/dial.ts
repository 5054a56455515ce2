/**
 * A connection of this process that begins in another network namespace. It is opened there by a process that lives
 * for a moment and hands it over (dial.opener.ts). Whoever has it closes it.
 */
import { spawn } from "node:child_process";
import type net from "node:net";
import { fileURLToPath } from "node:url";
import { TOOLS_PATH } from "../dataplane/holder.ts";

const OPENER = fileURLToPath(new URL("./dial.opener.ts", import.meta.url));

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `entry` leads into the namespace. Rejects with an Error that says why not. */
export function dial(entry: readonly string[], { host, port }: Address): Promise<net.Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const [command = "", ...rest] = entry;
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", OPENER, host, String(port)];
  const child = spawn(command, [...rest, ...node], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: { PATH: TOOLS_PATH },
  });
  let why = "the process that dials has ended";
  child.on("message", (message: "connected" | { readonly error: string }, socket) => {
    if (message === "connected") resolve(socket as net.Socket);
    else why = message.error;
  });
  child.once("error", reject);
  // Everything that was sent has arrived by then.
  child.once("disconnect", () => reject(new Error(why)));
  return promise;
}
