/**
 * `letsdata sandbox hosts`, `exec` and `forward` with real packets, as a user has them: processes with streams,
 * signals and exit codes, and services that are reached or not.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { type HostsSandbox, hostsSandbox, withoutPackets } from "./support/hosts.ts";
import { type Running, readyUrl, run } from "./support/letsdata.ts";

const skip = withoutPackets();
if (skip) console.error(`SKIPPED: ${skip}`);

describe("hosts of the sandbox", { skip }, () => {
  let sandbox: HostsSandbox;
  before(async () => {
    sandbox = await hostsSandbox();
  });
  after(() => sandbox?.close());

  const exec = (host: string, ...command: readonly string[]) => sandbox.ran("exec", host, "--", ...command);

  describe("hosts", () => {
    test("are listed with all their addresses", async () => {
      const { shop, shopIp, customer, natGateway, natIp } = sandbox.network;
      const { stdout, code } = await sandbox.ran("hosts");
      assert.equal(code, 0);
      const { items } = JSON.parse(stdout) as { items: Record<string, unknown>[] };
      const row = items.find(({ id }) => id === shop);
      const [address] = (row?.addresses ?? []) as [{ interfaceId: string }];
      assert.match(address?.interfaceId, /^eni-/);
      assert.deepEqual(row, {
        ...{ id: shop, kind: "instance", account: "111111111111", region: "us-east-1", vpcId: customer },
        addresses: [{ interfaceId: address.interfaceId, privateIp: "10.0.0.10", publicIp: shopIp }],
      });
      assert.equal(items.find(({ id }) => id === natGateway)?.kind, "natGateway");
      assert.equal(items.length, 6);
      const table = (await sandbox.ran("hosts", "--output", "table")).stdout;
      assert.match(
        table,
        new RegExp(
          `^${natGateway} +natGateway +1{12} +us-east-1 +${customer} +10\\.0\\.0\\.\\d+ \\(${natIp}\\)$`,
          "m",
        ),
      );
      assert.match(table, /^internet +internet +- +- +- +-$/m);
    });

    test("are answered by the sandbox itself, and no others", async () => {
      const get = async (path: string) => {
        const answer = await fetch(`${sandbox.url}/_sandbox/${path}`);
        return { status: answer.status, value: (await answer.json()) as HostAnswer };
      };
      const { shop, platform, stranger, double } = sandbox.network;
      assert.deepEqual(await get("dataplane"), { status: 200, value: { status: "on" } });
      const one = await get(`hosts/${shop}`);
      assert.deepEqual([one.value.address, one.value.argv?.[0]], ["10.0.0.10", "nsenter"]);
      const several = await get("hosts/10.1.0.10");
      assert.equal(several.status, 409);
      assert.deepEqual(
        several.value.choices?.toSorted(),
        [`${platform}/10.1.0.10`, `${stranger}/10.1.0.10`].sort(),
      );
      assert.equal((await get(`hosts/${encodeURIComponent(`${stranger}/10.1.0.10`)}`)).value.id, double);
      assert.equal((await get("hosts/%zz")).status, 404);
      assert.equal((await get("hosts/")).status, 404);
    });
  });

  describe("exec", () => {
    test("runs in the network of the host, by any of its names", async () => {
      const { shop, shopIp, stranger } = sandbox.network;
      for (const name of [shop, "10.0.0.10", shopIp]) {
        const { stdout } = await exec(name, "ip", "-br", "address", "show", "dev", "eth0");
        assert.match(stdout, /10\.0\.0\.10\/32/);
      }
      assert.match((await exec(`${stranger}/10.1.0.10`, "ip", "address")).stdout, /10\.1\.0\.10\/32/);
      assert.match(
        (await exec("internet", "ip", "route", "show", "table", "local")).stdout,
        /192\.0\.2\.0\/24/,
      );
    });

    test("passes streams, folder, arguments and exit code on", async () => {
      const { shop } = sandbox.network;
      assert.deepEqual(
        await exec(shop, "sh", "-c", 'echo "$1"; echo oops >&2; exit 7', "sh", "--output=json $x"),
        {
          ...{ code: 7, stdout: "--output=json $x\n", stderr: "oops\n" },
        },
      );
      assert.equal((await exec(shop, "pwd")).stdout.trim(), sandbox.cwd);
      assert.equal((await exec(shop, "sh", "-c", "kill -KILL $$")).code, 137);
    });

    test("says what cannot be run, with a shell's exit codes", async () => {
      const { shop } = sandbox.network;
      const missing = await exec(shop, "no-such-command", "--flag");
      assert.equal(missing.code, 127);
      assert.match(missing.stderr, new RegExp(`There is no command no-such-command in ${shop}`));
      assert.equal((await exec(shop, "/etc/passwd")).code, 126);
      const nothing = await sandbox.ran("exec", shop);
      assert.equal(nothing.code, 2);
      assert.match(nothing.stderr, /exec HOST \[options\] -- COMMAND\.\.\./);
    });

    test("says which hosts there are when it finds none, or several", async () => {
      const { shop } = sandbox.network;
      const none = await exec("10.77.0.1", "true");
      assert.equal(none.code, 4);
      assert.match(
        none.stderr,
        new RegExp(`There is no host "10.77.0.1"; there are: .*${shop} \\(10.0.0.10\\)`),
      );
      assert.match(none.stderr, /letsdata sandbox hosts/);
      const several = await exec("10.1.0.10", "true");
      assert.equal(several.code, 5);
      assert.match(
        several.stderr,
        /is in several VPCs: write vpc-\w+\/10\.1\.0\.10 or vpc-\w+\/10\.1\.0\.10/,
      );
    });

    test("says what is wrong with the sandbox", async () => {
      const { shop } = sandbox.network;
      const silent = await sandbox.ran("exec", shop, "--sandboxUrl", "http://127.0.0.1:1", "--", "true");
      assert.match(silent.stderr, /runs in another container or machine/);
      const far = await sandbox.ran("exec", shop, "--sandboxUrl", "http://192.0.2.1:4599", "--", "true");
      assert.match(far.stderr, /is on another machine/);
      assert.deepEqual([silent.code, far.code], [2, 2]);
    });

    test("passes a signal on to the command, and takes its exit code", async () => {
      const script = 'trap "echo told; exit 9" TERM; echo ready; while :; do sleep 0.1; done';
      const running = sandbox.sandbox("exec", sandbox.network.shop, "--", "sh", "-c", script);
      await said(running, "ready");
      running.child.kill("SIGTERM");
      const { code, stdout } = await running.ended;
      assert.deepEqual([code, stdout], [9, "ready\ntold\n"]);
    });
  });

  describe("forward", () => {
    let service: Running;
    before(async () => {
      service = sandbox.sandbox(
        "exec",
        `${sandbox.network.platform}/10.1.0.10`,
        "--",
        process.execPath,
        "-e",
        SERVICE,
      );
      await said(service, "listening");
    });
    after(async () => {
      service.child.kill("SIGTERM");
      await service.ended;
    });

    async function forwarding(
      words: readonly string[],
      use: (port: number) => Promise<void>,
    ): Promise<Running> {
      const running = sandbox.sandbox("forward", ...words);
      const at = await readyUrl(running);
      await use(Number(at.split(":").at(-1)));
      running.child.kill("SIGTERM");
      assert.equal((await running.ended).code, 0);
      return running;
    }

    test("reaches a service by loopback, whatever the groups say, both ways to the end", async () => {
      const { broker } = sandbox.network;
      const { output } = await forwarding([`${broker}:6000`], async (port) => {
        const big = "x".repeat(1_000_000);
        assert.deepEqual(await Promise.all([talk(port, "one"), talk(port, big)]), ["one.", `${big}.`]);
      });
      assert.match(output().stdout, new RegExp(`^ready 127.0.0.1:\\d+ -> 10.1.0.10:6000 from ${broker}\n$`));
    });

    test("from another host is subject to the rules", async () => {
      const { client } = sandbox.network;
      await forwarding(["10.1.0.10:7000", "--from", client], async (port) => {
        assert.equal(await talk(port, "allowed"), "allowed.");
      });
      await forwarding(["10.1.0.10:6000", "--from", client], async (port) => {
        const socket = connect(port, "127.0.0.1");
        await once(socket, "connect");
        const { arrived } = JSON.parse(
          (await sandbox.ran("trace", client, "10.1.0.10", "tcp", "6000")).stdout,
        );
        assert.equal(arrived, false);
        assert.equal(socket.bytesRead, 0);
        socket.destroy();
      });
    });

    test("says of a closed port that it is closed", async () => {
      const { broker } = sandbox.network;
      const { output } = await forwarding([`${broker}:6001`], async (port) => {
        await assert.rejects(talk(port, "nobody"), { code: "ECONNRESET" });
      });
      assert.match(output().stderr, /ECONNREFUSED/);
    });

    test("refuses what cannot be forwarded", async () => {
      const { broker } = sandbox.network;
      const wrong: [string[], number, RegExp][] = [
        [["10.1.0.10"], 2, /The service is "10\.1\.0\.10"/],
        [["10.1.0.10:http"], 2, /The port of the service is "http"/],
        [["10.1.0.10:7000"], 5, /is in several VPCs/],
        [["10.77.0.1:7000"], 4, /There is no host "10\.77\.0\.1"/],
        [[`${broker}:7000`, "--from", "i-nobody"], 4, /There is no host "i-nobody"/],
        [[`${broker}:7000`, "--listen", "70000"], 2, /The port of --listen is "70000"/],
        [
          [`${broker}:7000`, "--listen", new URL(sandbox.url).host],
          5,
          /Cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE/,
        ],
      ];
      for (const [words, exit, message] of wrong) {
        const { code, stderr } = await sandbox.ran("forward", ...words);
        assert.match(stderr, message);
        assert.equal(code, exit);
      }
    });
  });
});

test("a sandbox without packets says so, and what helps", async (t) => {
  const served = run("/", ["sandbox", "serve", "--port", "0", "--packets", "off"]);
  t.after(async () => {
    served.child.kill("SIGTERM");
    await served.ended;
  });
  const url = await readyUrl(served);
  for (const words of [["hosts"], ["exec", "i-1", "--sandboxUrl", url, "--", "true"]]) {
    const given = words.length > 1 ? words : [...words, "--sandboxUrl", url];
    const { code, stderr } = await run("/", ["sandbox", ...given]).ended;
    assert.equal(code, 7);
    assert.match(stderr, /This sandbox carries no packets: it was started without packets/);
    assert.match(stderr, /letsdata sandbox doctor/);
  }
});

interface HostAnswer {
  readonly id?: string;
  readonly address?: string;
  readonly argv?: readonly string[];
  readonly choices?: readonly string[];
}

/** Resolves once it has written that. */
async function said({ child, output }: Running, word: string): Promise<void> {
  while (!output().stdout.includes(word)) await once(child.stdout ?? child, "data");
}

/** Answers everything it has heard, and a dot, once it has heard the end. */
const SERVICE = `const { createServer } = require("node:net");
const answer = (socket) => {
  const heard = [];
  socket.on("data", (chunk) => heard.push(chunk));
  socket.on("end", () => socket.end(Buffer.concat([...heard, Buffer.from(".")])));
  socket.on("error", () => {});
};
const serve = (port, then) => createServer({ allowHalfOpen: true }, answer).listen(port, then);
serve(6000, () => serve(7000, () => console.log("listening")));`;

/** What is answered to a text, after its end. */
async function talk(port: number, text: string): Promise<string> {
  const socket: Socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(text);
  const heard: Buffer[] = [];
  for await (const chunk of socket) heard.push(chunk);
  return Buffer.concat(heard).toString();
}
