import assert from "node:assert/strict";
import http from "node:http";
import net, { BlockList } from "node:net";
import { after, describe, test } from "node:test";
import tls from "node:tls";
import type { ProbeFindings, ProbeWish } from "../domain/probe.ts";
import { handler, probe } from "./probe.mjs";
import {
  type BrokerLife,
  brokerOn,
  certificate,
  closedPort,
  type KeyAndCertificate,
  served,
} from "./testing.ts";

const NOTHING = new BlockList();

function go(port: number, wish: Partial<ProbeWish> = {}): Promise<ProbeFindings> {
  const { protocol = "tcp" } = wish;
  const order = {
    host: "127.0.0.1",
    port,
    protocol,
    tls: protocol === "tls",
    ca: null,
    stageMs: 5_000,
    ...wish,
  };
  return probe(order, NOTHING);
}

/** `stage outcome code` of each. */
function told({ stages }: ProbeFindings): string[] {
  return stages.map(({ stage, outcome, code }) => [stage, outcome, code ?? ""].join(" ").trim());
}

async function open(server: net.Server): Promise<number> {
  const { port, close } = await served(server);
  after(close);
  return port;
}

const broker = (life: BrokerLife = {}) => open(net.createServer(brokerOn(life)));
const secure = (of: KeyAndCertificate, serve: (socket: net.Socket) => void = () => {}) =>
  open(tls.createServer({ key: of.key, cert: of.cert }, serve));

const CONNECTED = ["resolve ok", "connect ok"];

describe("resolve and connect", () => {
  test("a port that is open: each stage has its time", async () => {
    const found = await go(await open(net.createServer()));
    assert.deepEqual(told(found), CONNECTED);
    assert.deepEqual(found.addresses, ["127.0.0.1"]);
    for (const { ms } of found.stages) assert.ok(ms >= 0);
  });

  test("a name that there is not, by the machine's resolver", async () => {
    // Reserved for this: https://www.rfc-editor.org/rfc/rfc6761#section-6.4
    const found = await go(1, { host: "nowhere.invalid" });
    const [first, ...rest] = found.stages;
    assert.deepEqual([first?.stage, first?.outcome, rest], ["resolve", "failed", []]);
    assert.match(first?.code ?? "", /^(ENOTFOUND|EAI_AGAIN)$/);
  });

  test("a port that is closed", async () => {
    assert.deepEqual(told(await go(await closedPort())), ["resolve ok", "connect failed ECONNREFUSED"]);
  });

  for (const host of ["127.0.0.1", "localhost", "169.254.169.254", "0.0.0.0"])
    test(`${host} is the function itself, and is not connected to`, async () => {
      const order = { host, port: 1, protocol: "tcp", tls: false, ca: null, stageMs: 5_000 } as const;
      assert.deepEqual(told(await handler(order)), ["resolve ok", "connect failed OWN_ADDRESS"]);
    });
});

describe("TLS", () => {
  const authority = certificate({ commonName: "an authority" });
  const good = certificate({ commonName: "server", names: ["127.0.0.1"], by: authority });

  test("a certificate that its authority proves: with whom, and how", async () => {
    const found = await go(await secure(good), { protocol: "tls", ca: authority.cert });
    assert.deepEqual(told(found), [...CONNECTED, "tls ok"]);
    assert.equal(found.tls?.error, null);
    assert.match(found.tls?.protocol ?? "", /^TLSv1\.[23]$/);
    const [own] = found.tls?.certificates ?? [];
    assert.deepEqual(
      [own?.subject, own?.issuer, own?.names],
      ["server", "an authority", "IP Address:127.0.0.1"],
    );
  });

  const past = new Date(Date.UTC(2021, 0, 1));
  const future = new Date(Date.UTC(2049, 0, 1));
  const bad: readonly [string, string, KeyAndCertificate, string | null][] = [
    ["an authority nobody knows", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", good, null],
    [
      "self-signed",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      certificate({ commonName: "me", names: ["127.0.0.1"] }),
      null,
    ],
    [
      "another name",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      certificate({ commonName: "x", names: ["example.com"], by: authority }),
      authority.cert,
    ],
    [
      "expired",
      "CERT_HAS_EXPIRED",
      certificate({ commonName: "x", names: ["127.0.0.1"], by: authority, until: past }),
      authority.cert,
    ],
    [
      "not valid yet",
      "CERT_NOT_YET_VALID",
      certificate({ commonName: "x", names: ["127.0.0.1"], by: authority, from: future }),
      authority.cert,
    ],
  ];
  for (const [what, code, of, ca] of bad)
    test(`${what}: ${code}, with the chain, and nothing is sent`, async () => {
      let bytes = 0;
      const port = await secure(of, (socket) => void socket.on("data", ({ length }) => (bytes += length)));
      const found = await go(port, { protocol: "kafka", tls: true, ca });
      assert.deepEqual(told(found), [...CONNECTED, `tls failed ${code}`]);
      assert.equal(found.tls?.error, code);
      assert.ok((found.tls?.certificates.length ?? 0) >= 1);
      assert.equal(bytes, 0);
    });

  test("a server that speaks something else", async () => {
    const found = await go(await open(net.createServer((socket) => socket.end("SSH-2.0-OpenSSH\r\n"))), {
      protocol: "tls",
    });
    assert.deepEqual(
      [found.stages.at(-1)?.stage, found.stages.at(-1)?.outcome, found.tls],
      ["tls", "failed", null],
    );
  });

  test("a server that hangs up, and one that says nothing", async () => {
    const rude = await go(await open(net.createServer((socket) => socket.destroy())), { protocol: "tls" });
    assert.deepEqual([rude.stages.at(-1)?.stage, rude.stages.at(-1)?.outcome], ["tls", "failed"]);
    const silent = await go(await open(net.createServer()), { protocol: "tls", stageMs: 50 });
    assert.deepEqual(told(silent), [...CONNECTED, "tls failed TIMEOUT"]);
  });
});

describe("Kafka", () => {
  const GREETED = [...CONNECTED, "apiVersions ok"];

  for (const range of [
    [0, 13],
    [2, 2],
    [3, 3],
    [5, 8],
  ] as const)
    test(`a broker that serves everybody, Metadata ${range.join("-")}: who is in the cluster`, async () => {
      const found = await go(await broker({ metadataVersions: range }), { protocol: "kafka" });
      assert.deepEqual(told(found), [...GREETED, "metadata ok"]);
      assert.deepEqual(found.kafka, {
        requests: 4,
        fetchVersions: "4-17",
        mechanisms: [],
        clusterId: "cluster-1",
        controllerId: 2,
        brokers: [1, 2, 3].map((id) => ({ id, host: `b-${id}.example`, port: 9092 })),
      });
    });

  test("a broker that wants authentication: by what", async () => {
    const found = await go(await broker({ mechanisms: ["SCRAM-SHA-512"] }), { protocol: "kafka" });
    assert.deepEqual(told(found), [...GREETED, "metadata ok"]);
    assert.deepEqual([found.kafka?.mechanisms, found.kafka?.brokers], [["SCRAM-SHA-512"], []]);
    assert.match(found.stages.at(-1)?.detail ?? "", /not told without credentials.*SCRAM-SHA-512/);
  });

  test("over TLS", async () => {
    const own = certificate({ commonName: "b", names: ["localhost"] });
    const port = await secure(own, brokerOn({}));
    const found = await go(port, { host: "localhost", protocol: "kafka", tls: true, ca: own.cert });
    assert.deepEqual(told(found), [...CONNECTED, "tls ok", "apiVersions ok", "metadata ok"]);
  });

  test("a broker that hangs up on the second question, and one too new", async () => {
    const rude = await go(await broker({ hangsUpOn: 17 }), { protocol: "kafka" });
    assert.deepEqual(told(rude), [...GREETED, "metadata failed CLOSED"]);
    assert.equal(rude.kafka?.requests, 4);
    const tooNew = await go(await broker({ metadataVersions: [9, 13] }), { protocol: "kafka" });
    assert.deepEqual(told(tooNew), [...GREETED, "metadata failed UNSUPPORTED"]);
  });

  const answers: readonly [string, Buffer, RegExp][] = [
    ["ssh, which speaks first", Buffer.from("SSH-2.0-OpenSSH_9.9\r\n"), /"SSH-2\.0-OpenSSH_9\.9"/],
    ["a TLS alert", Buffer.from([0x15, 3, 3, 0, 2, 2, 70]), /in TLS/],
    ["zeros", Buffer.alloc(64), /not Kafka's/],
    ["another request's id", Buffer.from([0, 0, 0, 6, 9, 9, 9, 9, 0, 0]), /another request/],
    ["bytes without end", Buffer.alloc(4, 0x7f), /not Kafka's/],
  ];
  for (const [what, bytes, detail] of answers)
    test(`not Kafka: ${what}`, async () => {
      const port = await open(net.createServer((socket) => void socket.write(bytes)));
      const found = await go(port, { protocol: "kafka" });
      assert.deepEqual(told(found), [...CONNECTED, "apiVersions failed NOT_KAFKA"]);
      assert.match(found.stages.at(-1)?.detail ?? "", detail);
      assert.equal(found.kafka, null);
    });

  test("not Kafka: HTTP answers in words", async () => {
    const found = await go(await open(http.createServer()), { protocol: "kafka" });
    assert.deepEqual(told(found), [...CONNECTED, "apiVersions failed NOT_KAFKA"]);
    assert.match(found.stages.at(-1)?.detail ?? "", /HTTP\/1\.1 400/);
  });

  test("a truncated list in an answer with the right id is not Kafka's", async () => {
    const port = await open(
      net.createServer((socket) =>
        socket.on("data", (request) => {
          const message = Buffer.concat([request.subarray(8, 12), Buffer.from([0, 0, 0, 0, 0, 9, 0, 18])]);
          socket.write(Buffer.concat([Buffer.from([0, 0, 0, message.length]), message]));
        }),
      ),
    );
    assert.deepEqual(told(await go(port, { protocol: "kafka" })).at(-1), "apiVersions failed NOT_KAFKA");
  });

  test("not Kafka: silence, and a hang-up", async () => {
    const silent = await go(await open(net.createServer()), { protocol: "kafka", stageMs: 50 });
    assert.deepEqual(told(silent).at(-1), "apiVersions failed TIMEOUT");
    const rude = await go(await open(net.createServer((socket) => socket.end())), { protocol: "kafka" });
    assert.deepEqual(told(rude).at(-1), "apiVersions failed CLOSED");
  });
});
