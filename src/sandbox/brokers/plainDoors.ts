/**
 * Ports of a broker that this process itself listens at: all of them where Kafka is not run, and the one for IAM,
 * which Kafka does not know. Promises that a host and its ports are there to be reached or not, as groups and routes
 * say; what is sent to them is not looked at.
 */
import net from "node:net";
import { openDoors } from "../dataplane/listeners.ts";

export interface PlainDoor {
  readonly port: number;
  /** What becomes of a connection. */
  readonly does: "hold" | "close";
}

/** Longer than anybody who tries a port waits. */
const IDLE_MS = 60_000;

export interface PlainHost {
  /** Leads into the host. */
  readonly entry: readonly string[];
  readonly address: string;
  /** Told the port of each connection that is closed. */
  readonly onClosed: (port: number) => void;
}

/** Listens until the function it resolves to is called. */
export async function openPlainDoors(host: PlainHost, doors: readonly PlainDoor[]): Promise<() => void> {
  const { entry, address, onClosed } = host;
  const opened = await openDoors(
    entry,
    doors.map(({ port }) => ({ protocol: "tcp", address, port })),
  );
  const connections = new Set<net.Socket>();
  for (const { socket, port } of opened) {
    const does = doors.find((door) => door.port === port)?.does;
    if (!(socket instanceof net.Server)) continue;
    socket.on("connection", (connection) => {
      connection.on("error", () => {});
      if (does === "close") {
        onClosed(port);
        connection.destroy();
        return;
      }
      connections.add(connection);
      connection.once("close", () => connections.delete(connection));
      connection.setTimeout(IDLE_MS, () => connection.destroy());
      connection.resume();
    });
  }
  return () => {
    for (const { socket } of opened) socket.close();
    for (const connection of connections) connection.destroy();
  };
}
