/** The resolver and the metadata service on sockets of the loopback: rubbish, silence, and many messages at once. */
import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import * as dns from "dns-packet";
import type { Opened } from "./listeners.ts";
import { interfaceRow, lookAt, vpcRow } from "./testing/rows.ts";
import { doorsOf, serveDoors } from "./vpcServers.ts";

const NAME = "ip-10-0-0-5.ec2.internal";

function query(id: number): Buffer {
  return dns.encode({ type: "query", id, questions: [{ name: NAME, type: "A" }] });
}

/** With its length before it. */
function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

test("the doors are AWS's", () => {
  assert.deepEqual(
    doorsOf("10.0.0.2").map(({ protocol, address, port }) => `${protocol} ${address}:${port}`),
    [
      "udp 169.254.169.253:53",
      "tcp 169.254.169.253:53",
      "udp 10.0.0.2:53",
      "tcp 10.0.0.2:53",
      "tcp 169.254.169.254:80",
    ],
  );
});

describe("served", { timeout: 30_000 }, () => {
  const udp = dgram.createSocket("udp4");
  const tcp = net.createServer();
  const http = net.createServer();
  const clients: net.Socket[] = [];
  let stop: () => void;
  let hasSupport = true;

  before(async () => {
    udp.bind(0, "127.0.0.1");
    await once(udp, "listening");
    for (const server of [tcp, http]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    const opened: Opened[] = [
      { protocol: "udp", address: "127.0.0.1", port: 53, socket: udp },
      { protocol: "tcp", address: "127.0.0.1", port: 53, socket: tcp },
      { protocol: "tcp", address: "127.0.0.1", port: 80, socket: http },
    ];
    const look = () =>
      lookAt((tables) => {
        tables.vpcs.put(vpcRow("vpc-1", "10.0.0.0/16", { dnsSupport: hasSupport }));
        tables.interfaces.put(interfaceRow("eni-1", "vpc-1", { privateIp: "10.0.0.5" }));
      });
    stop = serveDoors(opened, { vpcId: "vpc-1", look, secret: Buffer.from("x") });
  });
  after(() => {
    stop();
    for (const client of clients) client.destroy();
  });

  function connected(to: net.Server): net.Socket {
    const client = net.connect((to.address() as AddressInfo).port, "127.0.0.1");
    client.on("error", () => {});
    clients.push(client);
    return client;
  }

  /** The first so many messages of the stream. */
  async function messages(client: net.Socket, count: number): Promise<dns.Packet[]> {
    let stream = Buffer.alloc(0);
    const found: dns.Packet[] = [];
    while (found.length < count) {
      const [chunk] = await once(client, "data");
      stream = Buffer.concat([stream, chunk]);
      while (stream.length >= 2 && stream.length >= 2 + stream.readUInt16BE(0)) {
        found.push(dns.decode(stream.subarray(2, 2 + stream.readUInt16BE(0))));
        stream = stream.subarray(2 + stream.readUInt16BE(0));
      }
    }
    return found;
  }

  test("a datagram of rubbish disturbs nobody", async () => {
    const client = dgram.createSocket("udp4");
    const { port } = udp.address();
    client.send("rubbish", port, "127.0.0.1");
    client.send(query(7), port, "127.0.0.1");
    const [answer] = await once(client, "message");
    client.close();
    assert.equal(dns.decode(answer).id, 7);
  });

  test("a stream in pieces, and several messages in one", async () => {
    const client = connected(tcp);
    const stream = Buffer.concat([framed(query(1)), framed(query(2))]);
    client.write(stream.subarray(0, 3));
    client.write(stream.subarray(3));
    const answers = await messages(client, 2);
    assert.deepEqual(
      answers.map(({ id }) => id),
      [1, 2],
    );
    assert.deepEqual(
      answers[0]?.answers?.map((one) => "data" in one && one.data),
      ["10.0.0.5"],
    );
  });

  test("a stream that gets no answer is closed, and the next one is served", async () => {
    const client = connected(tcp);
    client.write(framed(Buffer.from("short")));
    await once(client, "close");
    hasSupport = false;
    const silent = connected(tcp);
    silent.write(framed(query(3)));
    await once(silent, "close");
    hasSupport = true;
    const next = connected(tcp);
    next.write(framed(query(4)));
    assert.equal((await messages(next, 1))[0]?.id, 4);
  });

  test("no HTTP, and no instance at that address", async () => {
    const client = connected(http);
    client.write("rubbish\r\n\r\n");
    const [answer] = await once(client, "data");
    assert.match(String(answer), /^HTTP\/1\.1 400/);
    const { port } = http.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/latest/meta-data/`);
    assert.deepEqual([response.status, response.headers.get("server")], [404, "EC2ws"]);
    await response.arrayBuffer();
  });

  test("stopped, nothing is left open", async () => {
    const [idle, talking] = [connected(tcp), connected(http)];
    await Promise.all([once(idle, "connect"), once(talking, "connect")]);
    const closed = [idle, talking].map((one) => once(one, "close"));
    stop();
    stop = () => {};
    await Promise.all(closed);
    assert.deepEqual([tcp.listening, http.listening], [false, false]);
    assert.throws(() => udp.address());
  });
});
