/**
 * Runs inside a host of the data plane: serves TCP and UDP on some ports, telling each caller the address it has
 * seen, and opens connections as its standard input says, one JSON line each. Says whose datagrams have come, too:
 * one may come whose answer is lost. Ends with its standard input.
 *
 *   stdin   {"id":1,"act":"reach","protocol":"tcp","to":"10.1.0.10","port":4000,"sourcePort":33000,"waitMs":400}
 *   stdout  {"id":1,"outcome":"answered","seen":"10.1.0.11"}      or "refused", "silent", an error's code
 *           {"heard":2,"from":"10.1.0.12"}
 *
 * What a TCP service hears after its greeting, it says again, line by line; after `take N` it takes N bytes and says
 * their SHA-256.
 */
import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

export interface Way {
  readonly to: string;
  readonly port: number;
  /** 0 = any. */
  readonly sourcePort: number;
  /** The host's own unless given. */
  readonly sourceAddress?: string;
  /** TCP: being let in is answer enough; whoever serves there may speak another language. */
  readonly isJustOpened?: true;
  readonly waitMs: number;
}

export type Question = { readonly id: number } & (
  | ({ readonly act: "reach"; readonly protocol: "tcp" | "udp" } & Way)
  /** A TCP connection that stays. */
  | ({ readonly act: "hold" } & Way)
  /** `silent` when what the connection is given does not come back, now or from before. */
  | { readonly act: "say"; readonly held: number; readonly text: string; readonly waitMs: number }
  /** Sends bytes of chance; `seen` is the digest the far end says, `sent` the one of what was sent. */
  | ({ readonly act: "send"; readonly bytes: number } & Way)
  /** Nothing: whatever was heard before has been said by the answer. */
  | { readonly act: "listen" }
);

export interface Reply {
  readonly id: number;
  /** `answered`, `refused`, `silent`, or the code of another error. */
  readonly outcome: string;
  readonly seen?: string;
  readonly sent?: string;
}

/** The datagram of that question has come, from that address. */
export interface Heard {
  readonly heard: number;
  readonly from: string;
}

type Outcome = Omit<Reply, "id">;

const SILENT: Outcome = { outcome: "silent" };

const held = new Map<number, Held>();

function failed(error: NodeJS.ErrnoException): Outcome {
  return { outcome: error.code === "ECONNREFUSED" ? "refused" : (error.code ?? error.message) };
}

/** A TCP connection and the lines that have come over it. */
interface Held {
  readonly socket: Socket;
  /** Resolves with the next line that is wanted, or with what there was instead. */
  line(wanted: (line: string) => boolean, waitMs: number): Promise<Outcome>;
}

function open({ to, port, sourcePort, sourceAddress }: Way): Held {
  const from = sourceAddress === undefined ? {} : { localAddress: sourceAddress };
  const socket = connect({ host: to, port, localPort: sourcePort, ...from });
  let error: Outcome | undefined;
  socket.on("error", (thrown) => {
    error = failed(thrown);
  });
  const lines = createInterface({ input: socket });
  lines.on("error", () => {});
  const line: Held["line"] = (wanted, waitMs) =>
    new Promise((resolve) => {
      const end = (outcome: Outcome) => {
        clearTimeout(timer);
        lines.off("line", read);
        socket.off("error", broke);
        resolve(outcome);
      };
      const read = (seen: string) => wanted(seen) && end({ outcome: "answered", seen });
      const broke = (thrown: NodeJS.ErrnoException) => end(failed(thrown));
      const timer = setTimeout(() => end(SILENT), waitMs);
      lines.on("line", read);
      socket.once("error", broke);
      if (error) end(error);
    });
  return { socket, line };
}

async function overTcp(way: Way): Promise<Outcome> {
  const { socket, line } = open(way);
  const opened = new Promise<Outcome>((resolve) =>
    socket.once("connect", () => way.isJustOpened && resolve({ outcome: "answered" })),
  );
  const outcome = await Promise.race([line(() => true, way.waitMs), opened]);
  socket.destroy();
  return outcome;
}

function overUdp(id: number, { to, port, sourcePort, sourceAddress, waitMs }: Way): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    const end = (outcome: Outcome) => {
      clearTimeout(timer);
      resolve(outcome);
      socket.close();
    };
    const timer = setTimeout(() => end(SILENT), waitMs);
    socket.once("message", (data) => end({ outcome: "answered", seen: data.toString() }));
    socket.once("error", (error) => end(failed(error)));
    // Connected: an answer from anybody else is none.
    socket.bind(sourcePort, sourceAddress, () =>
      socket.connect(port, to, (error?: Error) => (error ? end(failed(error)) : socket.send(String(id)))),
    );
  });
}

async function hold(id: number, way: Way): Promise<Outcome> {
  const one = open(way);
  held.set(id, one);
  return one.line(() => true, way.waitMs);
}

async function speak({ held: id, text, waitMs }: { held: number; text: string; waitMs: number }) {
  const one = held.get(id);
  if (!one) return { outcome: "never opened" };
  const answered = one.line((line) => line === text, waitMs);
  one.socket.write(`${text}\n`);
  return answered;
}

async function send({ bytes, ...way }: Way & { bytes: number }): Promise<Outcome> {
  const { socket, line } = open(way);
  const greeting = await line(() => true, way.waitMs);
  if (greeting.outcome !== "answered") return greeting;
  const payload = randomBytes(bytes);
  const answered = line(() => true, way.waitMs);
  socket.write(`take ${bytes}\n`);
  socket.write(payload);
  const outcome = await answered;
  socket.destroy();
  return { ...outcome, sent: digest(payload) };
}

function digest(payload: Buffer): string {
  return createHash("sha256").update(payload).digest("hex");
}

function serveTcp(port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(`${socket.remoteAddress}\n`);
    converse(socket);
  });
  return new Promise((resolve) => server.listen(port, "0.0.0.0", resolve));
}

/** Lines are said again; after `take N` come N bytes of anything. */
function converse(socket: Socket): void {
  let pending = Buffer.alloc(0);
  let taking: number | undefined;
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (taking !== undefined || pending.includes("\n")) {
      if (taking === undefined) {
        const end = pending.indexOf("\n");
        const line = pending.subarray(0, end).toString();
        pending = pending.subarray(end + 1);
        if (line.startsWith("take ")) taking = Number(line.slice("take ".length));
        else socket.write(`${line}\n`);
      } else if (pending.length >= taking) {
        socket.write(`${digest(pending.subarray(0, taking))}\n`);
        pending = pending.subarray(taking);
        taking = undefined;
      } else return;
    }
  });
}

/** Answers from the address that was asked: a socket for each, as one for all answers from the first. */
function serveUdp(port: number, address: string): Promise<void> {
  const socket = createSocket({ type: "udp4", reuseAddr: true }, (data, { address: from, port: to }) => {
    print({ heard: Number(data.toString()), from });
    socket.send(from, to, from);
  });
  socket.on("error", () => {});
  return new Promise((resolve) => socket.bind(port, address, resolve));
}

async function carryOut(question: Question): Promise<Outcome> {
  switch (question.act) {
    case "reach":
      return question.protocol === "tcp" ? overTcp(question) : overUdp(question.id, question);
    case "hold":
      return hold(question.id, question);
    case "say":
      return speak(question);
    case "send":
      return send(question);
    case "listen":
      return { outcome: "answered" };
  }
}

async function answer(line: string): Promise<void> {
  const question: Question = JSON.parse(line);
  print({ id: question.id, ...(await carryOut(question)) });
}

function print(line: Reply | Heard): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Ports separated by commas, then further addresses of the host. */
const [ports = "", ...aliases] = process.argv.slice(2);
const served = ports.split(",").map(Number);
const addresses = ["0.0.0.0", ...aliases];
await Promise.all([
  ...served.map(serveTcp),
  ...served.flatMap((port) => addresses.map((address) => serveUdp(port, address))),
]);
process.stdout.write("ready\n");
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => void answer(line));
lines.once("close", () => process.exit());
