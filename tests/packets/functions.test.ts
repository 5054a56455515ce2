/**
 * Functions with real packets: what one reaches and as whom it is seen, through its interface in a VPC and without;
 * that nobody reaches in; and that nothing of it is left when it has gone.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, describe, test } from "node:test";
import * as lambda from "@aws-sdk/client-lambda";
import { FunctionNetwork, type ShownFunction } from "./functionNetwork.ts";
import { SERVER, WAIT_MS } from "./packetNetwork.ts";

const network = await FunctionNetwork.open();
after(() => network.close());

const shown = async () =>
  (await network.own<{ functions: readonly ShownFunction[] }>("GET functions")).functions;
const hosts = async () =>
  (await network.own<{ hosts: readonly { id: string; kind: string }[] }>("GET hosts")).hosts;
const silence = { error: "silence" };

describe("functions with packets", { skip: network.off }, () => {
  test("one in a VPC reaches what its group may reach, by address and name, as its interface", async () => {
    await network.make("inside", { VpcConfig: network.inVpc() });
    const [own] = await network.interfaces();
    assert.ok(own?.PrivateIpAddress);
    for (const host of [network.server.address, network.server.name])
      assert.deepEqual(await network.dial("inside", host), { seen: own.PrivateIpAddress }, host);
    const { environments = [] } = (await shown()).find(({ name }) => name === "inside") ?? {};
    assert.deepEqual(
      environments.map(({ place, state }) => [place, state]),
      [[own.NetworkInterfaceId, "idle"]],
    );
  });

  test("it reaches the internet through the NAT gateway, and is seen with the gateway's address", async () => {
    assert.deepEqual(await network.dial("inside", SERVER), { seen: network.natAddress });
  });

  test("what the group forbids is silent, and heard again when it is allowed", async () => {
    await network.forbid();
    assert.deepEqual(await network.dial("inside", network.server.address, WAIT_MS.lost), silence);
    await network.allow();
    assert.equal((await network.dial("inside", network.server.address)).error, undefined);
  });

  test("functions of one subnet and set of groups share an interface and its host", async () => {
    await network.make("sister", { VpcConfig: network.inVpc() });
    const [own, ...others] = await network.interfaces();
    assert.deepEqual(others, []);
    assert.deepEqual(await network.dial("sister", network.server.address), { seen: own?.PrivateIpAddress });
    const kinds = (await hosts()).filter(({ kind }) => kind === "function");
    assert.deepEqual(
      kinds.map(({ id }) => id),
      [own?.NetworkInterfaceId],
    );
  });

  test("nobody reaches in, whatever the group allows", async () => {
    await network.make("listening", { VpcConfig: network.inVpc(network.groups.server), does: "listener" });
    const running = network.lambda.send(new lambda.InvokeCommand({ FunctionName: "listening" }));
    while (
      !(await network.own<{ lines: string[] }>("GET functions/listening/log")).lines.some((line) =>
        line.includes("serving"),
      )
    );
    const own = (await network.interfaces()).find(({ Groups }) =>
      Groups?.some(({ GroupId }) => GroupId === network.groups.server),
    );
    // The group lets its caller in, as the server shows, which has the same.
    assert.equal((await network.dial("inside", network.server.address)).error, undefined);
    assert.deepEqual(await network.dial("inside", own?.PrivateIpAddress ?? "", WAIT_MS.lost), silence);
    assert.deepEqual(
      await network.dialFrom(network.server.id, own?.PrivateIpAddress ?? "", WAIT_MS.lost),
      silence,
    );
    await network.remove("listening");
    const { FunctionError, Payload } = await running;
    assert.equal(FunctionError, "Unhandled");
    assert.match(Payload?.transformToString() ?? "", /Runtime.ExitError/);
  });

  test("one without a VPC is on the internet, and does not reach into the VPC", async () => {
    await network.make("outside");
    assert.deepEqual(await network.dial("outside", SERVER), { seen: SERVER });
    const { error } = await network.dial("outside", network.server.address, WAIT_MS.lost);
    assert.match(error ?? "", /silence|EHOSTUNREACH|ENETUNREACH|EINVAL/);
  });

  test("detached, it has the internet's way and no more its interface's", async () => {
    await network.lambda.send(
      new lambda.UpdateFunctionConfigurationCommand({
        FunctionName: "sister",
        VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
      }),
    );
    assert.deepEqual(await network.dial("sister", SERVER), { seen: SERVER });
  });

  test("deleted, nothing of it is left: processes, hosts", async () => {
    const pids = (await shown()).flatMap(({ environments }) => environments.flatMap(({ pid }) => pid ?? []));
    assert.equal(pids.length, 3);
    for (const name of ["inside", "sister", "outside"]) await network.remove(name);
    const left = () => pids.filter((pid) => existsSync(`/proc/${pid}`));
    while (left().length > 0) await hosts();
    assert.deepEqual(
      (await hosts()).filter(({ kind }) => kind === "function"),
      [],
    );
    assert.deepEqual(await shown(), []);
  });
});
