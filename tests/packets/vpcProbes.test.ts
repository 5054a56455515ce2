/**
 * `vpcs probe` with real packets: a control plane, a sandbox whose functions really run in the VPC, and a customer's
 * VPC beside it. Each verdict is told apart from the others by what packets did; then the function's life: made again
 * when somebody deletes it, and gone, interfaces and all, with the VPC.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { DeleteFunctionCommand } from "@aws-sdk/client-lambda";
import { cli, type Ran } from "../../src/cli/testing.ts";
import { reaches } from "../support/networks.ts";
import { PORTS } from "./probedServer.ts";
import { DATASET, type Probe, ProbedVpc, type ProbeRequest } from "./probedVpc.ts";

const place = await ProbedVpc.open();
const folder = mkdtempSync(path.join(tmpdir(), "letsdata-probes-"));
after(async () => {
  await place.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What is to be silent is waited for that long; what answers, as long as a busy machine may need. */
const SILENT = { stageSeconds: 1 } as const;
const ANSWERS = { stageSeconds: 10 } as const;

const server = (port: number) => `${place.server.address}:${port}`;

function told({ stages }: Probe): string[] {
  return stages.map(({ stage, outcome }) => `${stage} ${outcome}`);
}

interface Expected {
  readonly verdict: Probe["verdict"];
  readonly stages: readonly string[];
  readonly summary: RegExp;
  readonly nextStep?: RegExp;
}

async function assertProbe(request: ProbeRequest, expected: Expected): Promise<Probe> {
  const probe = await place.probe(request);
  assert.deepEqual(
    [probe.state, probe.verdict, told(probe)],
    ["done", expected.verdict, expected.stages],
    JSON.stringify(probe),
  );
  assert.match(probe.summary ?? "", expected.summary);
  if (expected.nextStep) assert.match(probe.nextStep ?? "", expected.nextStep);
  else assert.equal(probe.nextStep, null);
  return probe;
}

const CONNECTED = ["resolve ok", "route ok", "connect ok"];

describe("probes with packets", { skip: place.off }, () => {
  test("the first one makes the function: ours, in the private subnets, with group cluster alone", async () => {
    assert.deepEqual(await place.functions(), []);
    await assertProbe(
      { target: "nowhere.invalid:9092", ...SILENT },
      {
        verdict: "noName",
        stages: ["resolve failed"],
        summary: /nowhere\.invalid has no IPv4 address/,
        nextStep: /spelling/,
      },
    );
    const [own, ...others] = await place.functions();
    assert.deepEqual(others, []);
    assert.match(own?.FunctionName ?? "", /^ld-.{8}-ds-.*-probe$/);
    const isPrivate = place.vpc.subnets
      .filter(({ type }) => type === "private")
      .map(({ subnetId }) => subnetId);
    assert.deepEqual([...(own?.VpcConfig?.SubnetIds ?? [])].sort(), isPrivate.sort());
    assert.equal(own?.VpcConfig?.SecurityGroupIds?.length, 1);
  });

  test("no route: nobody peers; then the request waits, and the next step is to accept it", async () => {
    const noRoute = {
      verdict: "noRoute",
      stages: ["resolve ok", "route failed", "connect failed"],
      summary: /has no route: 172\.20\.1\.\d+ is a private address/,
    } as const;
    await assertProbe(
      { target: server(PORTS.banner), ...SILENT },
      { ...noRoute, nextStep: /--peeringGuide/ },
    );
    await place.requestPeering();
    const nextStep = new RegExp(
      `accept --datasetName ${DATASET} --vpcPeeringConnectionId ${place.peeringId}`,
    );
    await assertProbe({ target: server(PORTS.banner), ...SILENT }, { ...noRoute, nextStep });
  });

  test("reachable: peered, it connects", async () => {
    await place.peer();
    const probe = await assertProbe(
      { target: server(PORTS.banner), ...ANSWERS },
      { verdict: "reachable", stages: CONNECTED, summary: /is reachable from the VPC and speaks TCP/ },
    );
    assert.deepEqual(probe.addresses, [place.server.address]);
    assert.match(probe.stages[1]?.detail ?? "", new RegExp(`172\\.20\\.0\\.0/16 by ${place.peeringId}`));
  });

  test("refused: the host is there, and the port is closed", async () => {
    await assertProbe(
      { target: server(PORTS.closed), ...ANSWERS },
      {
        verdict: "refused",
        stages: ["resolve ok", "route ok", "connect failed"],
        summary: /refuses/,
        nextStep: /listens on that port/,
      },
    );
  });

  const filtered = {
    verdict: "filtered",
    stages: ["resolve ok", "route ok", "connect failed"],
    summary: /does not answer/,
    nextStep: /other side of pcx-.*security group.*missing return route looks just the same/,
  } as const;

  test("filtered: the other side's group lets nobody in", async () => {
    await assertProbe({ target: `${place.silent.address}:${PORTS.banner}`, ...SILENT }, filtered);
  });

  test("filtered, too: the other side does not know the way back", async () => {
    await place.forgetTheWayBack();
    await assertProbe({ target: server(PORTS.banner), ...SILENT }, filtered);
    await place.routeBack();
  });

  test("TLS failure: an authority nobody knows; with it, reachable; and what is not TLS at all", async () => {
    const failed = { verdict: "tlsFailure", stages: [...CONNECTED, "tls failed"] } as const;
    const unknown = await assertProbe(
      { target: server(PORTS.tls), protocol: "tls", ...ANSWERS },
      { ...failed, summary: /certificate comes .* authority/, nextStep: /--caFile/ },
    );
    assert.deepEqual(
      unknown.certificates.map(({ subject, issuer }) => [subject, issuer]),
      [["server", "the customer's authority"]],
    );
    await assertProbe(
      { target: server(PORTS.tls), protocol: "tls", ca: place.ca, ...ANSWERS },
      { verdict: "reachable", stages: [...CONNECTED, "tls ok"], summary: /speaks TLS/ },
    );
    await assertProbe(
      { target: server(PORTS.misnamed), protocol: "tls", ca: place.ca, ...ANSWERS },
      { ...failed, summary: /is for another name/, nextStep: /name that the certificate is for/ },
    );
    await assertProbe(
      { target: server(PORTS.banner), protocol: "tls", ...ANSWERS },
      { ...failed, summary: /answers, and not in TLS/, nextStep: /does this service speak TLS/ },
    );
  });

  test("not Kafka: what is answered instead", async () => {
    await assertProbe(
      { target: server(PORTS.banner), protocol: "kafka", ...ANSWERS },
      {
        verdict: "notKafka",
        stages: [...CONNECTED, "apiVersions failed"],
        summary: /does not speak Kafka: it answers "SSH-2\.0-OpenSSH_9\.9"/,
        nextStep: /broker's listener/,
      },
    );
  });

  test("Kafka: who is in the cluster; over TLS, and what it wants for it", async () => {
    const plain = await assertProbe(
      { target: server(PORTS.kafka), protocol: "kafka", ...ANSWERS },
      {
        verdict: "reachable",
        stages: [...CONNECTED, "apiVersions ok", "metadata ok"],
        summary: /speaks Kafka/,
      },
    );
    assert.deepEqual([plain.kafka?.clusterId, plain.kafka?.brokers.length], ["cluster-1", 3]);
    await assertProbe(
      { target: server(PORTS.scram), protocol: "kafka", tls: "on", ca: place.ca, ...ANSWERS },
      {
        verdict: "reachable",
        stages: [...CONNECTED, "tls ok", "apiVersions ok", "metadata skipped"],
        summary: /speaks Kafka, and asks for SCRAM-SHA-512/,
      },
    );
  });
});

describe("the command line, with packets", { skip: place.off }, () => {
  const run = (...args: readonly string[]): Promise<Ran> => {
    const { url, operatorKey } = place.house;
    const own = ["--datasetName", DATASET, "--url", url, "--apiKey", operatorKey, "--output", "table"];
    return cli(["vpcs", "probe", ...args, ...own], { cwd: folder });
  };

  test("reachable: exit code 0, the stages, and the verdict", async () => {
    const { exit, stdout, stderr } = await run(
      "--target",
      server(PORTS.kafka),
      "--protocol",
      "kafka",
      "--stageSeconds",
      "10",
    );
    assert.equal(exit, 0, stderr);
    for (const part of [
      /apiVersions +\S? *ok/,
      /metadata +\S? *ok/,
      /b-1\.example/,
      /is reachable from the VPC/,
    ])
      assert.match(stdout, part);
  });

  test("an authority of one's own, from a file", async () => {
    writeFileSync(path.join(folder, "ca.pem"), place.ca);
    const { exit, stderr } = await run(
      "--target",
      server(PORTS.tls),
      "--protocol",
      "tls",
      "--caFile",
      "ca.pem",
      "--stageSeconds",
      "10",
    );
    assert.equal(exit, 0, stderr);
  });

  test("not reachable: exit code 5, the stages on standard output, verdict and next step beside it", async () => {
    const { exit, stdout, stderr } = await run("--target", server(PORTS.closed), "--stageSeconds", "10");
    assert.equal(exit, 5);
    assert.match(stdout, /connect +\S? *failed/);
    assert.match(stderr, /Error: .*:7999 refuses.*\nHint: See that the service runs/);
  });
});

describe("the function's life, with packets", { skip: place.off }, () => {
  test("somebody deletes it: the next probe has another one", async () => {
    const [own] = await place.functions();
    await place.lambda.send(new DeleteFunctionCommand({ FunctionName: own?.FunctionName }));
    const probe = await place.probe({ target: server(PORTS.banner), ...ANSWERS });
    assert.equal(probe.verdict, "reachable", JSON.stringify(probe));
    assert.equal((await place.functions()).length, 1);
  });

  test("no route: the customer deletes the peering", async () => {
    await place.cut();
    const probe = await place.probe({ target: server(PORTS.banner), ...SILENT });
    assert.equal(probe.verdict, "noRoute", JSON.stringify(probe));
  });

  test("it goes with the VPC, and leaves nothing", async () => {
    await place.house.api.call("datasets.delete", { datasetName: DATASET });
    await reaches(place.house, DATASET, "DELETED");
    assert.deepEqual(await place.functions(), []);
  });
});
