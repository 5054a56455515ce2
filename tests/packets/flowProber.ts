/**
 * Runs inside a host of the data plane: serves TCP and UDP on some ports, telling each caller the address it has
 * seen, and opens connections as its standard input says, one JSON line each. Says whose datagrams have come, too:
 * one may come whose answer is lost. Ends with its standard input.
 *
 *   stdin   {"id":1,"protocol":"tcp","to":"10.1.0.10","port":4000,"sourcePort":33000,"waitMs":400}
 *   stdout  {"id":1,"outcome":"answered","seen":"10.1.0.11"}      or "refused", "silent", an error's code
 *           {"heard":2}
 */
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

export interface Question {
  readonly id: number;
  readonly protocol: "tcp" | "udp";
  readonly to: string;
  readonly port: number;
  readonly sourcePort: number;
  /** UDP's source address; the host's own when it is not given. */
  readonly forged?: string;
  readonly waitMs: number;
}

export interface Reply {
  readonly id: number;
  /** `answered`, `refused`, `silent`, or the code of another error. */
  readonly outcome: string;
  readonly seen?: string;
}

/** The datagram of that question has come. */
export interface Heard {
  readonly heard: number;
}

type Outcome = Omit<Reply, "id">;

const SILENT: Outcome = { outcome: "silent" };

function failed(error: NodeJS.ErrnoException): Outcome {
  return { outcome: error.code === "ECONNREFUSED" ? "refused" : (error.code ?? error.message) };
}

function overTcp({ to, port, sourcePort, waitMs }: Question): Promise<Outcome> {
  return new Promise((resolve) => {
    let seen = "";
    const socket = connect({ host: to, port, localPort: sourcePort });
    const end = (outcome: Outcome) => {
      clearTimeout(timer);
      resolve(outcome);
      socket.destroy();
    };
    const timer = setTimeout(() => end(SILENT), waitMs);
    socket.setEncoding("utf8").on("data", (text) => {
      seen += text;
    });
    socket.once("end", () => end({ outcome: "answered", seen }));
    socket.once("error", (error) => end(failed(error)));
  });
}

function overUdp({ id, to, port, sourcePort, forged, waitMs }: Question): Promise<Outcome> {
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
    socket.bind(sourcePort, forged, () =>
      socket.connect(port, to, (error?: Error) => (error ? end(failed(error)) : socket.send(String(id)))),
    );
  });
}

function serveTcp(port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(socket.remoteAddress ?? "gone");
  });
  return new Promise((resolve) => server.listen(port, "0.0.0.0", resolve));
}

/** Answers from the address that was asked: a socket for each, as one for all answers from the first. */
function serveUdp(port: number, address: string): Promise<void> {
  const socket = createSocket({ type: "udp4", reuseAddr: true }, (data, { address: seen, port: to }) => {
    say({ heard: Number(data.toString()) });
    socket.send(seen, to, seen);
  });
  socket.on("error", () => {});
  return new Promise((resolve) => socket.bind(port, address, resolve));
}

async function answer(line: string): Promise<void> {
  const question: Question = JSON.parse(line);
  const outcome = await (question.protocol === "tcp" ? overTcp(question) : overUdp(question));
  say({ id: question.id, ...outcome });
}

function say(line: Reply | Heard): void {
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
