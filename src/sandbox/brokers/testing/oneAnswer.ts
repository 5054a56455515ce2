/** For tests of requests in Kafka's protocol: a broker that knows one answer, and the pieces answers are made of. */
import net, { type AddressInfo } from "node:net";
import { after } from "node:test";

/** A broker of one answer; what it was asked. The answer comes in two pieces. */
export async function brokerThatAnswers(body: Buffer) {
  const asked: Buffer[] = [];
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (request) => {
      asked.push(request);
      // The correlation id of the request, then no tags.
      const message = Buffer.concat([request.subarray(8, 12), Buffer.from([0]), body]);
      const length = Buffer.alloc(4);
      length.writeInt32BE(message.length);
      socket.write(length.subarray(0, 3));
      setImmediate(() => socket.write(Buffer.concat([length.subarray(3), message])));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
  after(() => {
    socket.destroy();
    server.close();
  });
  return { socket, asked };
}

export const int32 = (value: number) => {
  const out = Buffer.alloc(4);
  out.writeInt32BE(value);
  return out;
};
export const text = (value: string) => Buffer.concat([Buffer.from([value.length + 1]), Buffer.from(value)]);
export const bytes = (...all: readonly number[]) => Buffer.from(all);
