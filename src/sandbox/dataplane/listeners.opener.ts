/**
 * Run by listeners.ts in a router's namespace: opens the sockets that its one argument names (JSON), hands each
 * to the parent over the channel, and ends. A socket belongs to the namespace it was opened in, whoever serves it.
 */
import dgram from "node:dgram";
import net from "node:net";
import type { Door, Handed } from "./listeners.ts";

type Socket = dgram.Socket | net.Server;

function opened({ protocol, address, port }: Door): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  if (protocol === "udp") {
    const socket = dgram.createSocket("udp4");
    socket.once("error", reject);
    socket.bind({ address, port }, () => resolve(socket));
  } else {
    const server = net.createServer();
    server.once("error", reject);
    server.listen({ host: address, port }, () => resolve(server));
  }
  return promise;
}

function send(message: Handed, socket?: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.send?.(message, socket, {}, () => resolve());
  return promise;
}

const doors: readonly Door[] = JSON.parse(process.argv[2] ?? "[]");
try {
  for (const [index, door] of doors.entries()) await send({ index }, await opened(door));
} catch (thrown) {
  await send({ error: thrown instanceof Error ? thrown.message : String(thrown) });
}
// Its own copies of the sockets end with it; until then it would take connections that nobody serves.
process.exit();
