/**
 * What a fault story is played on: the real store, will and hands against a sandbox that misbehaves as it is told to,
 * on a clock that leaps; and what the story asks of the sandbox beside the product. No fault hits what it asks.
 */
import { randomBytes } from "node:crypto";
import { DescribeTagsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { KafkaClient, ListClustersCommand } from "@aws-sdk/client-kafka";
import { type AwsCloud, awsCloud } from "../../src/cloud/aws/ec2.ts";
import { createIntent, type Intent } from "../../src/control/intent.ts";
import { createReconciler } from "../../src/control/reconciler.ts";
import { createSandbox } from "../../src/sandbox/server.ts";
import type { Store } from "../../src/store/store.ts";
import { memoryStore } from "../../src/store/testing.ts";
import { LeapingClock, UnderWay } from "./driven.ts";
import { CUSTOMER, PLATFORM, testSettings } from "./house.ts";

/** Longer than anything is unseen here; the 300 s of AWS would only be more of the same. */
const WINDOW_MS = 30_000;
export const UNSEEN_MS = 5_000;

export interface FaultGround {
  readonly clock: LeapingClock;
  readonly underWay: UnderWay;
  readonly store: Store;
  readonly intent: Intent;
  readonly url: string;
  readonly clients: ReadonlyMap<string, EC2Client>;
  /** The platform's, beside the product. */
  readonly kafka: KafkaClient;
  readonly stop: () => Promise<void>;
}

export async function openFaultGround(): Promise<FaultGround> {
  const clock = new LeapingClock();
  const underWay = new UnderWay();
  const settings = testSettings({ unseenMsMax: UNSEEN_MS, natVisibleMs: 0, requestLogSize: 1_000_000 });
  const sandbox = await createSandbox({ clock, settings });
  const { url } = await sandbox.listen(0);
  const store = underWay.watch(await memoryStore(clock));
  const cloud = await hands(store, clock, url);
  const whoAmI = { id: "platform", account: "", roleArn: null, region: "us-east-1" } as const;
  const cellOf = async () => ({ account: await cloud.account(whoAmI), roleArn: null });
  const intent = createIntent({ store, clock, cellOf, randomBytes });
  const reconciler = createReconciler({ store, cloud, clock, windowMs: WINDOW_MS, log: () => {} });
  const stopping = new AbortController();
  const running = reconciler.run(stopping.signal);
  const clients = new Map([PLATFORM, CUSTOMER].map((account) => [account, client(url, account)]));
  const kafka = new KafkaClient({ ...placeOf(url), credentials: keysOf(PLATFORM) });
  const stop = async () => {
    stopping.abort();
    await running;
    cloud.close();
    for (const one of [...clients.values(), kafka]) one.destroy();
    await store.close();
    await sandbox.close();
  };
  return { clock, underWay, store, intent, url, clients, kafka, stop };
}

async function hands(store: Store, clock: LeapingClock, endpoint: string): Promise<AwsCloud> {
  const { installation } = await store.settings();
  const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
  return awsCloud({ clock, installation, endpoint, credentials });
}

const placeOf = (endpoint: string) => ({ endpoint, region: "us-east-1", maxAttempts: 1 });
const keysOf = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: "test" });

function client(endpoint: string, account: string): EC2Client {
  return new EC2Client({ ...placeOf(endpoint), credentials: keysOf(account) });
}

/** How many there are of each of our keys. DescribeTags and the old ListClusters are no operations of the product's. */
export async function countsByKey({ clients, kafka }: FaultGround): Promise<ReadonlyMap<string, number>> {
  const Filters = [{ Name: "key", Values: ["letsdata:key"] }];
  const tags = await clients.get(PLATFORM)?.send(new DescribeTagsCommand({ Filters }));
  const things = (tags?.Tags ?? []).filter(({ ResourceType }) => ResourceType !== "security-group-rule");
  const { ClusterInfoList = [] } = await kafka.send(new ListClustersCommand({}));
  const clusters = ClusterInfoList.map(({ Tags: own = {} }) => own["letsdata:key"]);
  const counts = new Map<string, number>();
  for (const key of [...things.map(({ Value = "" }) => Value), ...clusters])
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** One of the sandbox's own requests: `administer(url, "POST faults", { … })`. */
export async function administer(url: string, what: string, body?: object): Promise<unknown> {
  const [method = "", path = ""] = what.split(" ");
  const init = body ? { method, body: JSON.stringify(body) } : { method };
  const answer = await fetch(`${url}/_sandbox/${path}`, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${what}: ${text}`);
  return text === "" ? null : JSON.parse(text);
}

export interface Noted {
  readonly account: string;
  readonly operation: string;
  readonly fault: string | null;
}

/** The sandbox's own log of requests, after that number. */
export async function requestsSince(
  url: string,
  since: number,
): Promise<{ readonly last: number; readonly requests: readonly Noted[] }> {
  return (await administer(url, `GET requests?since=${since}`)) as { last: number; requests: Noted[] };
}
