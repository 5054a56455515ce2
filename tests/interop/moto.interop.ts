/**
 * Our provider and reconciler against moto, a mock of AWS that nobody here wrote: is what we send valid, are
 * ids threaded rightly, does a peering work across accounts. Waits, failures and the order of dependencies it
 * does not have: motoDifferences.ts.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcPeeringConnectionsCommand,
  DescribeVpcsCommand,
} from "@aws-sdk/client-ec2";
import { awsCloud } from "../../src/cloud/aws/ec2.ts";
import type { Cell } from "../../src/domain/model.ts";
import { fastClock } from "../support/clocks.ts";
import { CUSTOMER, type House, openHouse, PLATFORM } from "../support/house.ts";
import { accept, customerVpc, peeringOf, requestPeering, type Vpc, vpcOf } from "../support/networks.ts";
import { asAws, DIFFERENCES, type Moto, NOBODY } from "./motoDifferences.ts";
import { freePort, leftOut, type Running, start } from "./programs.ts";
import { HOW_TO_PYTHON, installedPython } from "./python.ts";
import { openRelay, type Relay } from "./relay.ts";
import { ask } from "./signed.ts";

const python = installedPython();
const skip = python ? false : leftOut("our provider against moto", HOW_TO_PYTHON);

/** Of the house's clock: moto is slow, and a fresh look has ten seconds of that clock. */
const SPEED = 2;
const PATIENCE_MS = 200_000;

/** moto knows the account by this header. */
const headers = (account: string) =>
  (account ? { "x-moto-account-id": account } : {}) as Record<string, string>;

/** The ids of what bears our tags, kind by kind: moto's DescribeTags lists what is deleted too. */
async function taggedOurs(house: House): Promise<(string | undefined)[]> {
  const ec2 = house.ec2(PLATFORM);
  const Filters = [{ Name: "tag-key", Values: ["letsdata:dataset"] }];
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({ Filters }));
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ Filters }));
  const { RouteTables = [] } = await ec2.send(new DescribeRouteTablesCommand({ Filters }));
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters }));
  const { InternetGateways = [] } = await ec2.send(new DescribeInternetGatewaysCommand({ Filters }));
  const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ Filters }));
  const { NatGateways = [] } = await ec2.send(new DescribeNatGatewaysCommand({}));
  return [
    ...Vpcs.map(({ VpcId }) => VpcId),
    ...Subnets.map(({ SubnetId }) => SubnetId),
    ...RouteTables.map(({ RouteTableId }) => RouteTableId),
    ...SecurityGroups.map(({ GroupId }) => GroupId),
    ...InternetGateways.map(({ InternetGatewayId }) => InternetGatewayId),
    ...Addresses.map(({ AllocationId }) => AllocationId),
    ...NatGateways.filter(({ State }) => State !== "deleted").map(({ NatGatewayId }) => NatGatewayId),
  ];
}

describe("moto", { skip }, () => {
  let server: Running;
  let relay: Relay;
  let house: House;
  let url = "";
  let straight: Relay;
  const moto: Moto = {
    ask: async (action, parameters = {}, account = NOBODY) =>
      (await ask({ endpoint: straight.url, account, action, parameters })).text,
    quotas: async (action, input) => {
      const answer = await fetch(url, {
        method: "POST",
        headers: {
          "x-amz-target": `ServiceQuotasV20190624.${action}`,
          authorization: "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/servicequotas/aws4_request",
        },
        body: JSON.stringify(input),
      });
      return { status: answer.status, answer: await answer.text() };
    },
  };

  before(async () => {
    if (!python) return;
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = await start({
      program: python.program("moto_server"),
      args: ["-H", "127.0.0.1", "-p", String(port)],
      isReady: () =>
        fetch(`${url}/moto-api/data.json`).then(
          (answer) => answer.ok,
          () => false,
        ),
    });
    straight = await openRelay(url, { headers });
    relay = await openRelay(url, { headers, corrected: (exchange) => asAws(exchange, moto) });
    house = await openHouse({ sandboxUrl: relay.url, clock: fastClock(SPEED) });
  });

  after(async () => {
    await house?.close();
    await relay?.close();
    await straight?.close();
    await server?.stop();
  });

  describe("a network", () => {
    let vpc: Vpc;
    const reaches = (status: string) =>
      house.until(
        status,
        async () => (await house.api.call("datasets.view", { datasetName: "Clicks" })).status === status,
        PATIENCE_MS,
      );

    test("is created by the reconciler and seen as it is", async () => {
      await house.api.call("datasets.create", {
        datasetName: "Clicks",
        region: "us-east-1",
        customerAccountForAccess: CUSTOMER,
        writeConnector: { connectorDestination: "Kafka", kafka: { clusterType: "none" } },
      });
      await reaches("ACTIVE");
      vpc = await vpcOf(house, "Clicks");
      assert.equal(vpc.ownerId, PLATFORM);
      assert.equal(vpc.subnets.length, 6);
      assert.deepEqual(
        vpc.natGateways.map(({ state }) => state),
        ["available", "available", "available"],
      );
      const Filters = [{ Name: "vpc-id", Values: [vpc.vpcId] }];
      const { Subnets = [] } = await house.ec2(PLATFORM).send(new DescribeSubnetsCommand({ Filters }));
      assert.deepEqual(
        Subnets.map(({ CidrBlock }) => CidrBlock).sort(),
        vpc.subnets.map(({ cidrBlock }) => cidrBlock).sort(),
      );
      // 1 VPC, 6 subnets, 4 tables, 2 groups, 1 internet gateway, 3 addresses, 3 NAT gateways.
      assert.equal((await taggedOurs(house)).length, 20);
    });

    test("stays as it is: nothing is done twice", async () => {
      const changes = () => relay.seen.filter(({ action }) => !/^(Describe|Get)/.test(action)).length;
      const looks = () => relay.seen.filter(({ action }) => action === "DescribeVpcs").length;
      const [changed, looked] = [changes(), looks()];
      // A list asks for a fresh look.
      await house.api.call("vpcPeeringConnections.list", { datasetName: "Clicks" });
      await house.until("another look", async () => looks() > looked, PATIENCE_MS);
      assert.equal(changes(), changed);
    });

    test("peers with a VPC of another account", async () => {
      const vpcId = await customerVpc(house, "172.20.0.0/16");
      const id = await requestPeering(house, { from: vpcId, to: vpc });
      await accept(house, "Clicks", id);
      const isActive = async () => (await peeringOf(house, "Clicks", id))?.status === "ACTIVE";
      await house.until("an active peering", isActive, PATIENCE_MS);
      const { VpcPeeringConnections = [] } = await house
        .ec2(CUSTOMER)
        .send(new DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds: [id] }));
      const [seen] = VpcPeeringConnections;
      assert.equal(seen?.Status?.Code, "active");
      assert.equal(seen.RequesterVpcInfo?.VpcId, vpcId);
      assert.equal(seen.AccepterVpcInfo?.OwnerId, PLATFORM);
      const { RouteTables = [] } = await house
        .ec2(PLATFORM)
        .send(new DescribeRouteTablesCommand({ Filters: [{ Name: "vpc-id", Values: [vpc.vpcId] }] }));
      const routes = RouteTables.flatMap(({ Routes = [] }) => Routes).filter(
        (route) => route.VpcPeeringConnectionId === id,
      );
      assert.deepEqual(
        routes.map((route) => route.DestinationCidrBlock),
        Array(3).fill("172.20.0.0/16"),
      );
    });

    test("does not peer with a block of its own, though moto would", async () => {
      const from = await customerVpc(house, vpc.cidrBlock);
      const id = await requestPeering(house, { from, to: vpc });
      await assert.rejects(accept(house, "Clicks", id), /overlap/i);
    });

    test("is deleted, and nothing is left under our tags", async () => {
      await house.api.call("datasets.delete", { datasetName: "Clicks" });
      await reaches("DELETED");
      assert.deepEqual(await taggedOurs(house), []);
    });

    test("no request was one that moto could not read, but of quotas", () => {
      const bad = relay.seen.filter(({ service, status }) => status >= 500 && service !== "servicequotas");
      assert.deepEqual(bad, []);
    });
  });

  test("a cell's role is assumed, and acts in its account", async () => {
    const clock = fastClock();
    const credentials = { accessKeyId: "anybody", secretAccessKey: "test" };
    const cloud = awsCloud({ clock, installation: "inst-1", endpoint: url, credentials });
    const account = "222233334444";
    const roleArn = `arn:aws:iam::${account}:role/letsdata`;
    const cell: Cell = { id: `${account}/us-east-1`, account, roleArn, region: "us-east-1" };
    const network = { id: "net", tenantId: "ten", datasetId: "ds", datasetName: "Clicks", vpcIds: [] };
    try {
      assert.equal(await cloud.account(cell), account);
      assert.equal((await cloud.zones(cell))[0]?.id, "use1-az1");
      const step = { do: "createVpc", key: "vpc", cidr: "10.2.0.0/25" } as const;
      const vpcId = await cloud.apply(cell, { network, step: step as never, attempt: 1 });
      const world = (await cloud.observe(cell, [network])).get("net");
      assert.deepEqual(
        world?.vpcs.map(({ id, ownerId }) => [id, ownerId]),
        [[vpcId, account]],
      );
    } finally {
      cloud.close();
    }
  });

  describe("differs from AWS still", () => {
    for (const difference of DIFFERENCES)
      test(difference.moto, async () => {
        assert.ok(await difference.stillSo(moto), "moto has mended it: take it off motoDifferences.ts");
      });
  });
});
