/**
 * What the tests of the hands share: a wire between the SDK and a cloud that notes every call and can lose an
 * answer, and the short words for networks and steps. For tests alone.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { after } from "node:test";
import { Failure, type FailureCode } from "../../domain/failure.ts";
import type { Cell, Clock, Region } from "../../domain/model.ts";
import type { Step } from "../../domain/steps.ts";
import { startSandbox, type TestSandbox } from "../../sandbox/testing.ts";
import type { NetworkRef } from "../cloud.ts";
import { type AwsCloud, awsCloud } from "./ec2.ts";

export interface Wire {
  readonly url: string;
  /** AWS's names of the actions that were sent, in order; of Kafka's and Lambda's, method and path. */
  readonly sent: string[];
  /** The cloud will do what it is asked, and the answer will not arrive. */
  loseAnswers(action: string, times: number): void;
  /** The wire itself answers instead of the cloud, with this code. */
  answerInstead(action: string, times: number, code: string): void;
  close(): Promise<void>;
}

type Trick = { action: string; left: number; code: string | null };

export async function startWire(target: string): Promise<Wire> {
  const sent: string[] = [];
  const tricks: Trick[] = [];
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const action = actionOf(request, body);
    sent.push(action);
    const trick = tricks.find((one) => one.action === action && one.left > 0);
    if (trick) trick.left -= 1;
    if (trick?.code) return refuse(response, trick.code);
    forward({ request, body, target, agent }, (answer) => {
      if (trick) {
        answer.resume();
        response.destroy();
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    loseAnswers: (action, times) => void tricks.push({ action, left: times, code: null }),
    answerInstead: (action, times, code) => void tricks.push({ action, left: times, code }),
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** AWS's name of it; of the services that speak REST, method and path. */
function actionOf({ method, url = "" }: http.IncomingMessage, body: Buffer): string {
  const named = new URLSearchParams(body.toString()).get("Action");
  return named ?? `${method} ${url.split("?")[0]}`;
}

interface Forwarding {
  readonly request: http.IncomingMessage;
  readonly body: Buffer;
  readonly target: string;
  readonly agent: http.Agent;
}

/** The headers go on as they came: the signature covers the host. */
function forward(
  { request, body, target, agent }: Forwarding,
  answered: (answer: http.IncomingMessage) => void,
): void {
  const { method, headers, url } = request;
  const onward = http.request(target + url, { method, headers, agent }, answered);
  onward.on("error", () => request.destroy());
  onward.end(body);
}

function refuse(response: http.ServerResponse, code: string): void {
  response.writeHead(code === "InternalError" ? 500 : 400, { "content-type": "text/xml" });
  response.end(
    `<Response><Errors><Error><Code>${code}</Code><Message>as asked</Message></Error></Errors><RequestID>r</RequestID></Response>`,
  );
}

/** Sleeping moves the time on: nothing waits, everything is in order. */
export function hurriedClock(time: { now(): number; advance(ms: number): void }): Clock {
  return {
    now: () => time.now(),
    sleep: async (ms) => time.advance(ms),
  };
}

export const ACCOUNT = "111111111111";

export function cellIn(region: Region, account = ACCOUNT): Cell {
  return { id: `${account}/${region}`, account, roleArn: null, region };
}

export function networkRef(name: string, vpcIds: readonly string[] = []): NetworkRef {
  return { id: `net-${name}`, tenantId: "ten-1", datasetId: `ds-${name}`, datasetName: name, vpcIds };
}

/** The hands on that endpoint, with the keys of that account. */
export function handsOn(endpoint: string, clock: Clock, account = ACCOUNT): AwsCloud {
  return awsCloud({
    clock,
    endpoint,
    installation: "inst-1",
    credentials: { accessKeyId: account, secretAccessKey: "test" },
  });
}

/** A sandbox and hands that reach it over a wire, for all tests of a file; it ends with them. */
export async function wiredSandbox(): Promise<{ sandbox: TestSandbox; wire: Wire; cloud: AwsCloud }> {
  const sandbox = await startSandbox();
  const wire = await startWire(sandbox.url);
  const cloud = handsOn(wire.url, hurriedClock(sandbox.clock));
  after(async () => {
    cloud.close();
    await wire.close();
    await sandbox.close();
  });
  return { sandbox, wire, cloud };
}

/** Takes steps for one network, first attempt; `made` insists on an id. */
export function stepper(cloud: AwsCloud, cell: Cell, network: NetworkRef) {
  const act = (step: Step, attempt = 1) => cloud.apply(cell, { network, step, attempt });
  const made = async (step: Step, attempt = 1): Promise<string> => {
    const id = await act(step, attempt);
    if (id === null) throw new Error(`${step.do} answered no id`);
    return id;
  };
  const look = async (vpcIds: readonly string[] = []) => {
    const world = (await cloud.observe(cell, [{ ...network, vpcIds }])).get(network.id);
    if (!world) throw new Error("the network was not answered");
    return world;
  };
  return { act, made, look };
}

/** The Failure that the work ends with; insists that there is one, and on its code. */
export async function rejection(work: Promise<unknown>, code: FailureCode): Promise<Failure> {
  const thrown = await work.then(
    () => new Error("it did not fail"),
    (error: unknown) => error,
  );
  if (thrown instanceof Failure && thrown.code === code) return thrown;
  throw thrown;
}
