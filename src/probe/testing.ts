/**
 * What a probe may meet, on the loopback: servers of a few lines, a broker that speaks as much of Kafka as a greeting
 * needs, and certificates of every sort. For tests alone.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import net, { type AddressInfo } from "node:net";
import forge from "node-forge";

export interface TestServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Ends its connections at the close. */
export async function served(server: net.Server): Promise<TestServer> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  // Of a TLS server, the socket within.
  server.on("secureConnection", (socket: net.Socket) => socket.on("error", () => {}));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = await served(net.createServer());
  await server.close();
  return server.port;
}

export interface CertificateWish {
  readonly commonName: string;
  readonly names?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
  readonly by?: KeyAndCertificate;
}

export interface KeyAndCertificate {
  readonly key: string;
  readonly cert: string;
}

const LONG_AGO = new Date(Date.UTC(2020, 0, 1));
const LONG_AFTER = new Date(Date.UTC(2049, 11, 31));

/** Signed by itself, and an authority, without `by`. */
export function certificate({ commonName, names = [], by, ...valid }: CertificateWish): KeyAndCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const made = forge.pki.createCertificate();
  made.publicKey = forge.pki.publicKeyFromPem(publicKey);
  made.serialNumber = `01${randomBytes(15).toString("hex")}`;
  made.validity.notBefore = valid.from ?? LONG_AGO;
  made.validity.notAfter = valid.until ?? LONG_AFTER;
  const subject = [{ name: "commonName", value: commonName }];
  made.setSubject(subject);
  made.setIssuer(by ? forge.pki.certificateFromPem(by.cert).subject.attributes : subject);
  const altNames = names.map((value) => (net.isIP(value) ? { type: 7, ip: value } : { type: 2, value }));
  made.setExtensions([
    { name: "basicConstraints", cA: by === undefined },
    ...(altNames.length > 0 ? [{ name: "subjectAltName", altNames }] : []),
  ]);
  made.sign(forge.pki.privateKeyFromPem(by?.key ?? privateKey), forge.md.sha256.create());
  return { key: privateKey, cert: forge.pki.certificateToPem(made) };
}

const int16 = (value: number) => {
  const out = Buffer.alloc(2);
  out.writeInt16BE(value);
  return out;
};
const int32 = (value: number) => {
  const out = Buffer.alloc(4);
  out.writeInt32BE(value);
  return out;
};
const text = (value: string) => Buffer.concat([int16(value.length), Buffer.from(value)]);

export interface BrokerLife {
  /** By which it wants clients to authenticate; without any it serves everybody. */
  readonly mechanisms?: readonly string[];
  readonly metadataVersions?: readonly [min: number, max: number];
  /** Ends the connection when asked for this key. */
  readonly hangsUpOn?: number;
}

/** Speaks Kafka over each connection it is given; its answers come in two pieces. */
export function brokerOn({ mechanisms = [], metadataVersions = [0, 13], hangsUpOn }: BrokerLife) {
  return (socket: net.Socket): void => {
    let got = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      got = Buffer.concat([got, chunk]);
      while (got.length >= 4 && got.length >= 4 + got.readInt32BE()) {
        const request = got.subarray(4, 4 + got.readInt32BE());
        got = got.subarray(4 + request.length);
        const [key, version] = [request.readInt16BE(), request.readInt16BE(2)];
        if (key === hangsUpOn) return void socket.end();
        const body = answerTo({ key, version, mechanisms, metadataVersions });
        if (body === null) return void socket.end();
        const message = Buffer.concat([request.subarray(4, 8), body]);
        socket.write(Buffer.concat([int32(message.length), message.subarray(0, 3)]));
        setImmediate(() => socket.write(message.subarray(3)));
      }
    });
  };
}

interface Asked {
  readonly key: number;
  readonly version: number;
  readonly mechanisms: readonly string[];
  readonly metadataVersions: readonly [number, number];
}

/** As Kafka lays them out: https://kafka.apache.org/protocol.html. Null: it hangs up. */
function answerTo({ key, version, mechanisms, metadataVersions: [min, max] }: Asked): Buffer | null {
  if (key === 18) {
    const apis = [
      [1, 4, 17],
      [3, min, max],
      [17, 0, 1],
      [18, 0, 4],
    ].map((api) => Buffer.concat(api.map(int16)));
    return Buffer.concat([int16(0), int32(apis.length), ...apis]);
  }
  // A listener without authentication calls it an illegal state.
  if (key === 17)
    return Buffer.concat([
      int16(mechanisms.length > 0 ? 33 : 34),
      int32(mechanisms.length),
      ...mechanisms.map(text),
    ]);
  if (key !== 3 || mechanisms.length > 0) return null;
  const broker = (id: number) => Buffer.concat([int32(id), text(`b-${id}.example`), int32(9092), int16(-1)]);
  return Buffer.concat([
    ...(version >= 3 ? [int32(0)] : []),
    int32(3),
    ...[1, 2, 3].map(broker),
    text("cluster-1"),
    int32(2),
    int32(0),
  ]);
}
