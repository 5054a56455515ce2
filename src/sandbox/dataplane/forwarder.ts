/**
 * Run by `letsdata sandbox forward` inside of a host, as a process of its own: takes over a listening socket of
 * the machine's own network and connects each of its connections with one that starts here. Arguments: the
 * address and the port. Says over its channel what it cannot connect, and ends when the channel does. It passes
 * half-closed connections on as such, and a refused one as a reset.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** What the forwarder says of a connection that could not be made. */
export interface Unconnected {
  readonly code: string;
}

const [host = "", port = ""] = process.argv.slice(2);

function join(near: Socket): void {
  const far = connect({ host, port: Number(port), allowHalfOpen: true });
  let isJoined = false;
  far.once("connect", () => {
    isJoined = true;
    near.pipe(far);
    far.pipe(near);
  });
  far.on("error", (error: NodeJS.ErrnoException) => {
    if (!isJoined) process.send?.({ code: error.code ?? error.message } satisfies Unconnected);
    near.resetAndDestroy();
  });
  near.on("error", () => far.resetAndDestroy());
  // What is closed on one side before the other has said everything is of no more use to it.
  near.once("close", () => far.destroy());
  far.once("close", () => near.destroySoon());
}

process.once("message", (_greeting, given: Server) => {
  createServer({ allowHalfOpen: true }, join).listen(given, () => process.send?.("ready"));
});
process.once("disconnect", () => process.exit());
