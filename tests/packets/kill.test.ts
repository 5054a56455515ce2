/**
 * `kill -9` of a sandbox with packets, at random moments while five VPCs are being built: nothing of it is left on
 * the machine, and the next start has packets for everything that was kept. The seed is printed; `KILL_SEED`
 * repeats it, `FULL=1` kills a hundred times.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import * as ec2 from "@aws-sdk/client-ec2";
import { Dice } from "../../src/sandbox/dice.ts";
import { makeInternetGateway, makeSubnet, makeVpc } from "../../src/sandbox/testNetwork.ts";
import { until } from "./checks.ts";
import { familyOf, firstProcess, outside, processesLeft } from "./leftovers.ts";
import { SERVER } from "./packetNetwork.ts";
import { ServedSandbox } from "./servedSandbox.ts";

const KILLS = Number(process.env.KILLS ?? (process.env.FULL === "1" ? 100 : 10));
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);
const VPCS = 5;
const HOSTS_EACH = 2;
/** A router for each of them, and the internet. */
const NAMESPACES = VPCS * (HOSTS_EACH + 1) + 1;

const dataDir = mkdtempSync(join(tmpdir(), "letsdata-killed-"));
after(() => rmSync(dataDir, { recursive: true, force: true }));

type Step = () => Promise<unknown>;

/** Its hosts are what comes last: where they are, everything is that they need. */
function vpcSteps(client: ec2.EC2Client, at: number): Step[] {
  let [vpc, subnet, gateway, peering] = ["", "", "", ""];
  const block = `10.${at}.0.0`;
  return [
    async () => {
      vpc = await makeVpc(client, `${block}/16`);
    },
    async () => {
      subnet = await makeSubnet(client, vpc, `${block}/24`);
    },
    async () => {
      gateway = await makeInternetGateway(client, vpc);
    },
    async () => {
      const Filters = [{ Name: "vpc-id", Values: [vpc] }];
      const { RouteTables } = await client.send(new ec2.DescribeRouteTablesCommand({ Filters }));
      const RouteTableId = RouteTables?.[0]?.RouteTableId;
      const to = { DestinationCidrBlock: "0.0.0.0/0", GatewayId: gateway };
      await client.send(new ec2.CreateRouteCommand({ RouteTableId, ...to }));
    },
    async () => {
      const { Vpcs = [] } = await client.send(new ec2.DescribeVpcsCommand({}));
      const other = Vpcs.find((one) => one.VpcId !== vpc && !one.IsDefault)?.VpcId;
      if (other === undefined) return;
      const asked = await client.send(
        new ec2.CreateVpcPeeringConnectionCommand({ VpcId: vpc, PeerVpcId: other }),
      );
      peering = asked.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
    },
    async () => {
      if (peering)
        await client.send(new ec2.AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId: peering }));
    },
    () =>
      client.send(
        new ec2.RunInstancesCommand({
          ImageId: "ami-12345678",
          MinCount: HOSTS_EACH,
          MaxCount: HOSTS_EACH,
          NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: subnet, AssociatePublicIpAddress: true }],
        }),
      ),
  ];
}

function allSteps(client: ec2.EC2Client): Step[] {
  return Array.from({ length: VPCS }, (_, at) => vpcSteps(client, at + 1)).flat();
}

async function build(steps: readonly Step[]): Promise<void> {
  for (const step of steps) await step();
}

/** Brings about the moment of the kill; says which it is. */
type Moment = (sandbox: ServedSandbox) => Promise<string>;

function randomMoment(dice: Dice): Moment {
  const at = dice.between(0, VPCS * 7 - 1);
  const turns = dice.between(0, 30);
  const count = dice.between(1, NAMESPACES);
  const moments: readonly Moment[] = [
    async ({ client }) => {
      const steps = allSteps(client);
      await build(steps.slice(0, at));
      void steps[at]?.().catch(() => {});
      for (let passed = 0; passed < turns; passed++) await turn();
      return `${turns} turns after call ${at} was sent`;
    },
    async ({ client }) => {
      await build(allSteps(client).slice(0, at + 1));
      return `when call ${at} was answered`;
    },
    async ({ client, session }) => {
      const built = build(allSteps(client)).catch(() => {});
      await until(`there are ${count} namespaces`, async () => {
        await turn();
        return namespacesOf(session) >= count;
      });
      void built;
      return `when there were ${count} namespaces`;
    },
  ];
  const moment = dice.oneOf(moments);
  assert.ok(moment);
  return moment;
}

function namespacesOf(session: number): number {
  const folder = `/proc/${firstProcess(session)}/root/run/netns`;
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

/** Every host that the state has reaches its neighbour and the internet. How many there are. */
async function isWhole(sandbox: ServedSandbox): Promise<number> {
  const hosts = await sandbox.hosts();
  const { Reservations = [] } = await sandbox.client.send(new ec2.DescribeInstancesCommand({}));
  const running = Reservations.flatMap(({ Instances = [] }) => Instances.map((one) => one.InstanceId));
  assert.deepEqual(hosts.map(({ id }) => id).sort(), running.sort());
  const asked = hosts.map(async ({ id, vpcId }) => {
    const neighbour = hosts.find((other) => other.vpcId === vpcId && other.id !== id);
    const address = neighbour?.addresses[0]?.privateIp ?? "";
    assert.ok(await sandbox.pings(id, address), `${id} reaches ${address}`);
    assert.ok(await sandbox.pings(id, SERVER), `${id} reaches the internet`);
  });
  await Promise.all(asked);
  return hosts.length;
}

async function killed(sandbox: ServedSandbox, before: readonly string[]): Promise<void> {
  const family = familyOf(sandbox.session);
  // The process itself, and the first one of the namespaces: what is looked for can be seen.
  assert.ok(processesLeft(family).length >= 2);
  await sandbox.kill();
  let left: readonly string[] = [];
  await until("nothing of it is left", async () => {
    await turn();
    left = [...processesLeft(family), ...outside().filter((one) => !before.includes(one))];
    return left.length === 0;
  }).catch((error) => assert.fail(`${error.message}: ${left.join(", ")}`));
}

const before = outside();
let sandbox = await ServedSandbox.start({ dataDir });
after(() => sandbox.kill());
const skip = await sandbox.off();

test(`killed ${KILLS} times while building`, { skip, timeout: KILLS * 60_000 }, async (t) => {
  t.diagnostic(`KILL_SEED=${SEED}`);
  const dice = new Dice(SEED);
  for (let kill = 0; kill < KILLS; kill++) {
    await sandbox.own("POST reset");
    const moment = await randomMoment(dice)(sandbox);
    await killed(sandbox, before);
    sandbox = await ServedSandbox.start({ dataDir });
    t.diagnostic(`killed ${moment}: ${await isWhole(sandbox)} hosts are back`);
  }
  await sandbox.own("POST reset");
  await build(allSteps(sandbox.client));
  await killed(sandbox, before);
  sandbox = await ServedSandbox.start({ dataDir });
  assert.equal(await isWhole(sandbox), VPCS * HOSTS_EACH);
  await killed(sandbox, before);
});
