// @ts-check
/**
 * The stage of TLS: shakes hands, and says with whom. Promises that a certificate which does not prove the name is told
 * with its reason and its chain, and that nothing is sent over such a connection.
 */
import { isIP } from "node:net";
import { connect } from "node:tls";
import { Stopped } from "./stages.mjs";

/**
 * @typedef {object} CertificateSeen
 * @property {string} subject
 * @property {string} issuer
 * @property {string} names What it is for, as the certificate writes it; empty for an authority's.
 * @property {string} validFrom
 * @property {string} validTo
 */

/**
 * @typedef {object} Secured
 * @property {string} protocol
 * @property {string} cipher
 * @property {string | null} error Why it is not trusted, in OpenSSL's or Node's code.
 * @property {CertificateSeen[]} certificates The server's first, then whoever vouches for it.
 */

/** The longest chain that is told. */
const LONGEST = 8;

/**
 * TLS over the connection; the handshake is on its way.
 * @param {import("node:net").Socket} socket
 * @param {{ host: string, ca: string | null }} to
 * @returns {import("node:tls").TLSSocket}
 */
export function secure(socket, { host, ca }) {
  return connect({
    socket,
    host,
    // A name is sent only when there is one: https://www.rfc-editor.org/rfc/rfc6066#section-3
    ...(isIP(host) ? {} : { servername: host }),
    ...(ca === null ? {} : { ca }),
    rejectUnauthorized: false,
  });
}

/**
 * Resolves also for a certificate that is not trusted: `error` says why.
 * @param {import("node:tls").TLSSocket} socket
 * @returns {Promise<Secured>}
 */
export function handshake(socket) {
  const { promise, resolve, reject } = Promise.withResolvers();
  socket.once("secureConnect", () => resolve(securedBy(socket)));
  // What comes later the next stages hear by themselves; without a listener it would end the process.
  socket.on("error", reject);
  socket.once("close", () => reject(new Stopped("CLOSED", "it closed the connection during the handshake")));
  return promise;
}

/**
 * @param {import("node:tls").TLSSocket} socket
 * @returns {Secured}
 */
function securedBy(socket) {
  const { authorizationError: error } = socket;
  return {
    protocol: socket.getProtocol() ?? "",
    cipher: socket.getCipher().standardName,
    // Node writes a code here, and its type says Error.
    error: socket.authorized ? null : String(error instanceof Error ? error.message : error),
    certificates: chainOf(socket),
  };
}

/** @param {import("node:tls").TLSSocket} socket */
function chainOf(socket) {
  /** @type {CertificateSeen[]} */
  const chain = [];
  const met = new Set();
  let one = socket.getPeerCertificate(true);
  while (one?.fingerprint256 && !met.has(one.fingerprint256) && chain.length < LONGEST) {
    met.add(one.fingerprint256);
    chain.push({
      subject: nameOf(one.subject),
      issuer: nameOf(one.issuer),
      names: one.subjectaltname ?? "",
      validFrom: one.valid_from,
      validTo: one.valid_to,
    });
    one = one.issuerCertificate;
  }
  return chain;
}

/** @param {import("node:tls").Certificate | undefined} name */
function nameOf(name) {
  const parts = [name?.CN, name?.O].flatMap((part) => part ?? []);
  return parts.join(", ") || "(no name)";
}
