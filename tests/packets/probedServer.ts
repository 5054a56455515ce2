/**
 * A program for a host that probes go to: something that is not Kafka on one port, TLS and Kafka on others. Its first
 * argument is its address, which all certificates but one are for; it prints its authority's certificate, as JSON, when it serves.
 */
import net from "node:net";
import tls from "node:tls";
import { brokerOn, certificate } from "../../src/probe/testing.ts";

/** What listens where; on CLOSED nothing does. */
export const PORTS = {
  banner: 7000,
  tls: 7001,
  kafka: 7002,
  scram: 7003,
  misnamed: 7004,
  closed: 7999,
} as const;

if (import.meta.main) {
  const authority = certificate({ commonName: "the customer's authority" });
  const own = certificate({ commonName: "server", names: [process.argv[2] ?? ""], by: authority });
  const misnamed = certificate({ commonName: "server", names: ["other.example"], by: authority });
  const calm = (serve: (socket: net.Socket) => void) => (socket: net.Socket) => {
    socket.on("error", () => {});
    serve(socket);
  };
  const servers: readonly [number, net.Server][] = [
    [PORTS.banner, net.createServer(calm((socket) => void socket.write("SSH-2.0-OpenSSH_9.9\r\n")))],
    [
      PORTS.tls,
      tls.createServer(
        { key: own.key, cert: own.cert },
        calm(() => {}),
      ),
    ],
    [
      PORTS.misnamed,
      tls.createServer(
        { key: misnamed.key, cert: misnamed.cert },
        calm(() => {}),
      ),
    ],
    [PORTS.kafka, net.createServer(calm(brokerOn({})))],
    [
      PORTS.scram,
      tls.createServer({ key: own.key, cert: own.cert }, calm(brokerOn({ mechanisms: ["SCRAM-SHA-512"] }))),
    ],
  ];
  await Promise.all(
    servers.map(([port, server]) => new Promise<void>((done) => server.listen(port, "0.0.0.0", done))),
  );
  console.log(JSON.stringify({ ca: authority.cert }));
}
