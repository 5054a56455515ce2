/**
 * The sandbox's own certificate authority, which vouches for its brokers as Amazon Trust Services does for MSK's.
 * Promises one authority for a data folder, made when it is first asked for, its key readable by its owner alone.
 * Node signs no certificates: node-forge does (nothing else has to be installed for it), with keys that Node makes.
 */
import { generateKeyPair, randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import type { pki } from "node-forge";

/** Both in PEM. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

/** Valid on whatever day it is: a sandbox's clock may be any. */
const VALID = { from: new Date(Date.UTC(2020, 0, 1)), until: new Date(Date.UTC(2049, 11, 31)) };

const SUBJECT: pki.CertificateField[] = [
  { name: "organizationName", value: "letsdata sandbox" },
  { name: "commonName", value: "letsdata sandbox authority" },
];

export class Authority {
  readonly #folder: string;
  #own: Promise<KeyAndCertificate> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The authority's own certificate, in PEM. */
  async certificate(): Promise<string> {
    return (await this.#authority()).certificate;
  }

  /** A certificate for servers of that name; the name may begin with `*.`. */
  async issue(name: string): Promise<KeyAndCertificate> {
    const own = await this.#authority();
    return signed({
      subject: [{ name: "commonName", value: name.length > 64 ? "a broker" : name }],
      extensions: [
        { name: "basicConstraints", cA: false },
        { name: "extKeyUsage", serverAuth: true },
        { name: "subjectAltName", altNames: [{ type: 2, value: name }] },
      ],
      by: own,
    });
  }

  #authority(): Promise<KeyAndCertificate> {
    this.#own ??= this.#kept().catch((thrown: unknown) => {
      this.#own = undefined;
      throw thrown;
    });
    return this.#own;
  }

  async #kept(): Promise<KeyAndCertificate> {
    const file = path.join(this.#folder, "authority.pem");
    const there = await readFile(file, "utf8").catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === "ENOENT") return undefined;
      throw thrown;
    });
    if (there !== undefined) return parts(there, file);
    const made = await signed({
      subject: SUBJECT,
      extensions: [
        { name: "basicConstraints", cA: true, critical: true },
        { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
        { name: "subjectKeyIdentifier" },
      ],
    });
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeWhole(file, `${made.key}${made.certificate}`);
    return made;
  }
}

/** Whole or not at all; only its owner may read it. */
export async function writeWhole(file: string, text: string | Buffer): Promise<void> {
  const part = `${file}.part`;
  const handle = await open(part, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
}

function parts(pem: string, file: string): KeyAndCertificate {
  const [key, certificate] = pem.match(/-----BEGIN [\s\S]+?-----END [^-]+-----\n/g) ?? [];
  if (key === undefined || certificate === undefined)
    throw new Error(`${file} holds no key and certificate: delete it, and a new authority is made`);
  return { key, certificate };
}

interface Wanted {
  readonly subject: pki.CertificateField[];
  readonly extensions: object[];
  /** By itself when undefined. */
  readonly by?: KeyAndCertificate;
}

const newKeys = promisify(generateKeyPair);

async function signed({ subject, extensions, by }: Wanted): Promise<KeyAndCertificate> {
  // Heavy, and needed by few sandboxes.
  const { default: forge } = await import("node-forge");
  const { publicKey, privateKey } = await newKeys("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const made = forge.pki.createCertificate();
  made.publicKey = forge.pki.publicKeyFromPem(publicKey);
  // A serial number is positive.
  made.serialNumber = `01${randomBytes(15).toString("hex")}`;
  made.validity.notBefore = VALID.from;
  made.validity.notAfter = VALID.until;
  made.setSubject(subject);
  made.setIssuer(by ? forge.pki.certificateFromPem(by.certificate).subject.attributes : subject);
  made.setExtensions(extensions);
  made.sign(forge.pki.privateKeyFromPem(by?.key ?? privateKey), forge.md.sha256.create());
  return { key: privateKey, certificate: forge.pki.certificateToPem(made).replaceAll("\r\n", "\n") };
}
