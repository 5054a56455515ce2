/**
 * One dataset with a write connector, by the clock that leaps: wished for, waited for, looked at, and taken away; and a
 * hand of the platform's own beside the product.
 */
import assert from "node:assert/strict";
import { KafkaClient } from "@aws-sdk/client-kafka";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { type KafkaRequest, kafkaCluster } from "../../src/domain/kafka.ts";
import type { Condition, KafkaCluster } from "../../src/domain/model.ts";
import type { Settings } from "../../src/sandbox/settings.ts";
import { PLATFORM } from "./house.ts";
import { present } from "./networks.ts";
import { kafkaRequest, OPERATOR, openPlane, type Plane } from "./plane.ts";

export const NAME = "Clicks";
const SECOND = 1_000;
/** Longer than anything takes. */
const COMES_MS = 5 * 3_600_000;

export class ConnectorGround {
  readonly plane: Plane;
  readonly kafka: KafkaClient;
  readonly lambda: LambdaClient;

  protected constructor(plane: Plane) {
    this.plane = plane;
    const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
    const place = { endpoint: plane.sandboxUrl, region: "us-east-1", maxAttempts: 1, credentials };
    this.kafka = new KafkaClient(place);
    this.lambda = new LambdaClient(place);
  }

  static async open(settings: Partial<Settings> = {}): Promise<ConnectorGround> {
    return new ConnectorGround(await openPlane({ settings }));
  }

  /** Wishes for the dataset; nothing is done before `drive`. Null = without a cluster. */
  async create(asked: KafkaRequest | null, functionArns: readonly string[] = []): Promise<void> {
    const kafka = asked ? { kafka: present<KafkaCluster>(kafkaCluster(asked, "small")) } : {};
    const { intent, tenantId } = this.plane;
    await intent.createDataset(OPERATOR, tenantId, kafkaRequest(NAME, { ...kafka, functionArns }));
  }

  async remove(): Promise<void> {
    await this.plane.intent.deleteDataset(OPERATOR, this.plane.tenantId, NAME);
    await this.plane.drive(() => this.reaches("DELETED"));
  }

  async known() {
    const scope = this.plane.store.tenant(this.plane.tenantId);
    const dataset = present(await scope.dataset(NAME));
    const [network, status] = [await scope.network(dataset.id), await scope.status(dataset.id)];
    return { dataset, network, status };
  }

  async conditionOf(key: string): Promise<Condition | undefined> {
    const scope = this.plane.store.tenant(this.plane.tenantId);
    const dataset = await scope.dataset(NAME);
    const status = dataset && (await scope.status(dataset.id));
    return status?.conditions.find(({ resource }) => resource === key);
  }

  async until(what: string, ask: () => Promise<boolean>): Promise<void> {
    const { clock } = this.plane;
    const deadline = clock.now() + COMES_MS;
    while (!(await ask())) {
      if (clock.now() > deadline) {
        const { dataset, status } = await this.known();
        const open = status?.conditions.filter(({ state }) => state !== "ready");
        assert.fail(`waited in vain: ${what}; ${dataset.status} ${JSON.stringify(open)}`);
      }
      await clock.sleep(5 * SECOND);
    }
  }

  reaches(status: string): Promise<void> {
    return this.until(status, async () => (await this.known()).dataset.status === status);
  }

  says(resource: string, pattern: RegExp): Promise<void> {
    return this.until(`${resource} ${pattern}`, async () =>
      pattern.test((await this.conditionOf(resource))?.message ?? ""),
    );
  }

  /** What the next calls of that kind come to. */
  async fault(operation: string, what: object): Promise<void> {
    await this.plane.admin("POST", "faults", { operation, ...what });
  }

  async close(): Promise<void> {
    this.kafka.destroy();
    this.lambda.destroy();
    await this.plane.close();
  }
}
