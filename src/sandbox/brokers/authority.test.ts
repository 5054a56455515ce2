import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import tls from "node:tls";
import { Authority } from "./authority.ts";

const folder = mkdtempSync(path.join(tmpdir(), "letsdata-authority-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const NAME = "b-1.clicks.a1b2c3.c1.kafka.us-east-1.amazonaws.com";

describe("the sandbox's authority", () => {
  test("is one for a folder, and its key is its owner's alone", async () => {
    const first = await new Authority(folder).certificate();
    assert.equal(await new Authority(folder).certificate(), first);
    assert.equal(statSync(path.join(folder, "authority.pem")).mode & 0o777, 0o600);
    const certificate = new X509Certificate(first);
    assert.ok(certificate.ca && certificate.verify(certificate.publicKey));
  });

  test("vouches for a name and all below a star, and for nothing else", async () => {
    const authority = new Authority(folder);
    const { key, certificate } = await authority.issue(`*.${NAME.slice(NAME.indexOf(".") + 1)}`);
    const own = new X509Certificate(certificate);
    assert.ok(own.checkPrivateKey(createPrivateKey(key)));
    assert.ok(own.verify(new X509Certificate(await authority.certificate()).publicKey));
    assert.ok(own.checkHost(NAME));
    assert.equal(own.checkHost(`other.${NAME}`), undefined);
    assert.ok(!own.ca);
  });

  test("is trusted by a client that was given its certificate, and by no other", async () => {
    const authority = new Authority(folder);
    const issued = await authority.issue(NAME);
    const server = tls.createServer({ key: issued.key, cert: issued.certificate }, (socket) => socket.end());
    server.on("tlsClientError", () => {});
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const outcome = (ca: string | undefined, servername = NAME) =>
      new Promise<string>((resolve) => {
        const options = { host: "127.0.0.1", port, servername, ...(ca === undefined ? {} : { ca }) };
        const socket = tls.connect(options, () => resolve("trusted"));
        socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      });
    const ca = await authority.certificate();
    assert.equal(await outcome(ca), "trusted");
    assert.equal(await outcome(ca, "another.example.com"), "ERR_TLS_CERT_ALTNAME_INVALID");
    assert.match(await outcome(undefined), /UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET/);
  });

  test("says what is wrong with a file that is no authority", async () => {
    const other = mkdtempSync(path.join(folder, "other-"));
    writeFileSync(path.join(other, "authority.pem"), "nothing");
    await assert.rejects(new Authority(other).certificate(), /holds no key and certificate: delete it/);
  });
});
