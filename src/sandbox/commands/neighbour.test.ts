import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { checkNeighbour, checkPidNamespace, sightOf } from "./neighbour.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const socket = (local: string, state: string, uid: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 4711 1 0000 100 0 0 10 0`;
const look = (url: string, ...lines: string[]) =>
  checkNeighbour({ url, sockets: [[HEAD, ...lines, ""].join("\n"), ""], uid: 1000 });

describe("what may say which program runs here", () => {
  test("listens on this machine, as this user", () => {
    look("http://127.0.0.1:4599", socket("0100007F:11F7", "0A", 1000));
    look("http://localhost:4599/", socket("00000000:11F7", "0A", 1000));
  });

  test("is no other user, on any address of that port", () => {
    const ours = socket("0100007F:11F7", "0A", 1000);
    const theirs = socket("0200007F:11F7", "0A", 1001);
    assert.throws(() => look("http://127.0.0.1:4599", ours, theirs), {
      trouble: "forbidden",
      message: /run by another user \(uid 1001, and this is uid 1000\)$/,
    });
  });

  test("is not somewhere else", () => {
    const established = socket("0100007F:11F7", "01", 1000);
    const otherPort = socket("0100007F:11F8", "0A", 1000);
    assert.throws(() => look("http://127.0.0.1:4599", established, otherPort), {
      trouble: "invalid",
      message: /runs in another container or machine$/,
    });
    for (const url of ["http://10.0.0.1:4599", "https://example.com", "http://127.0.0.1.example.com:1"])
      assert.throws(() => look(url, socket("00000000:11F7", "0A", 1000)), { message: /on another machine$/ });
  });

  test("numbers processes as we do", () => {
    checkPidNamespace("pid:[1]", "pid:[1]");
    assert.throws(() => checkPidNamespace("pid:[2]", "pid:[1]"), { message: /in another container$/ });
  });

  test("is seen in what this kernel lists", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    assert.ok(typeof address === "object" && address);
    const url = `http://127.0.0.1:${address.port}`;
    checkNeighbour(sightOf(url));
    assert.throws(() => checkNeighbour({ ...sightOf(url), uid: 4_000_000 }), { trouble: "forbidden" });
    await new Promise((resolve) => server.close(resolve));
    assert.throws(() => checkNeighbour(sightOf(url)), { trouble: "invalid" });
  });
});
