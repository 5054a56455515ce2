/**
 * All clusters' brokers, kept in step with the state: woken by each change of it, by a keeper's own wish, and by
 * what happens to a broker. Promises that brokers run in the hosts that the data plane has made for them and nowhere
 * else, that packets and requests never wait for them, and that nothing of a cluster is left when it has gone.
 *
 *   commit ─▶ wake ─▶ packets settled ─▶ each cluster whose hosts stand ─▶ its keeper ─▶ noted in the rows
 *               ▲                                                            │
 *               └──────────── a broker serves, or has ended; a time ◀────────┘
 */
import { nodeName, nodesOf } from "../kafkaNodes.ts";
import { hasKafkaRoom, noKafkaRoom } from "../kafkaRoom.ts";
import { clusterAt } from "../kafkaStates.ts";
import { Passes } from "../passes.ts";
import type { ClusterRow } from "../serviceRows.ts";
import { removeClusterFolder, removeOrphans } from "./brokerFolder.ts";
import { KafkaKeeper } from "./kafkaKeeper.ts";
import type { Keeper, KeeperRoom, ShownBroker } from "./keeper.ts";
import { ListenerKeeper } from "./listenerKeeper.ts";
import type { Found, Software } from "./software.ts";

export interface FleetOptions extends Omit<KeeperRoom, "wake"> {
  readonly found: Found;
}

interface Kept {
  readonly domain: string;
  readonly keeper: Keeper;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #room: KeeperRoom;
  readonly #kept = new Map<string, Kept>();
  readonly #passes: Passes;
  #hasSaid = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#room = { ...options, wake: () => this.wake() };
    const { clock, log } = options;
    const failed = (why: string) => log(`brokers: ${why}; it is tried again`);
    this.#passes = new Passes({ clock, failed, pass: () => this.#pass() });
  }

  async start(): Promise<void> {
    const { cloud, folder, log } = this.#options;
    const domains = new Set(cloud.tables.clusters.all().map(({ domain }) => domain));
    await removeOrphans(folder, (domain) => domains.has(domain)).catch((thrown) => log(String(thrown)));
    this.#passes.start();
  }

  /** The state, or a broker, has changed. */
  wake(): void {
    this.#passes.wake();
  }

  shown(): ShownBroker[] {
    return this.#keepers().flatMap((keeper) => keeper.shown());
  }

  /** What that broker said last; undefined when there is no such broker. */
  log(name: string): readonly string[] | undefined {
    return this.#keepers()
      .map((keeper) => keeper.log(name))
      .find((lines) => lines !== undefined);
  }

  /** Ends that broker as a crash would; false when none of that name runs. */
  async kill(name: string): Promise<boolean> {
    for (const keeper of this.#keepers()) if (await keeper.kill(name)) return true;
    return false;
  }

  /** Nothing is begun after this. Resolves when nothing runs. */
  async close(): Promise<void> {
    this.#passes.stop();
    await Promise.all(this.#keepers().map((keeper) => keeper.end()));
    await this.#passes.ended;
    await Promise.all(this.#keepers().map((keeper) => keeper.end()));
  }

  #keepers(): Keeper[] {
    return [...this.#kept.values()].map(({ keeper }) => keeper);
  }

  /** When the next look is due though nothing changes. */
  async #pass(): Promise<number> {
    const { cloud, plane } = this.#options;
    if (cloud.tables.clusters.all().length + this.#kept.size === 0) return Number.POSITIVE_INFINITY;
    await plane.settled();
    if (plane.status().status === "off" || this.#passes.isStopping) return Number.POSITIVE_INFINITY;
    const there = new Set(plane.topology().hosts.map(({ id }) => id));
    const rows = cloud.tables.clusters.all().filter((row) => this.#stands(row, there));
    await this.#endOthers(new Set(rows.map(({ id }) => id)));
    const due = await Promise.all(rows.map((row) => this.#match(row)));
    return Math.min(...due);
  }

  /** An update ends by time alone: nobody may ask for the cluster then. */
  async #match(row: ClusterRow): Promise<number> {
    const now = this.#options.clock.now();
    const next = await this.#keeperOf(row).match(clusterAt(row, now));
    const { endsAt = 0 } = row.update ?? {};
    return Math.min(next ?? Number.POSITIVE_INFINITY, endsAt > now ? endsAt : Number.POSITIVE_INFINITY);
  }

  #stands(row: ClusterRow, hosts: ReadonlySet<string>): boolean {
    const brokers = nodesOf(row, "broker");
    return brokers.length > 0 && brokers.every((node) => hosts.has(nodeName(row, node)));
  }

  async #endOthers(wanted: ReadonlySet<string>): Promise<void> {
    const { cloud, folder } = this.#options;
    const others = [...this.#kept].filter(([id]) => !wanted.has(id));
    for (const [id, { keeper, domain }] of others) {
      // One that stands no more for a moment, with its namespaces, keeps its data.
      const row = cloud.tables.clusters.get(id);
      const isGone = !row || row.deletedAt !== undefined || row.failsAt !== undefined;
      await keeper.end();
      if (isGone) await removeClusterFolder(folder, domain);
      this.#kept.delete(id);
    }
  }

  #keeperOf(row: ClusterRow): Keeper {
    const { id, domain } = row;
    const known = this.#kept.get(id);
    if (known) return known.keeper;
    const software = this.#softwareFor(row);
    const keeper = software ? new KafkaKeeper(this.#room, software) : new ListenerKeeper(this.#room);
    this.#kept.set(id, { domain, keeper });
    return keeper;
  }

  /** undefined = it is not to be Kafka, which is said. */
  #softwareFor({ name, brokers }: ClusterRow): Software | undefined {
    const { found, cloud, log } = this.#options;
    if ("software" in found) {
      if (brokers || hasKafkaRoom(cloud)) return found.software;
      log(`the brokers of ${name} are plain TCP listeners, not Kafka: ${noKafkaRoom(cloud.settings)}`);
      return undefined;
    }
    if (!this.#hasSaid)
      log(`the brokers of ${name} and of all clusters are plain TCP listeners, not Kafka: ${found.missing}`);
    this.#hasSaid = true;
    return undefined;
  }
}
