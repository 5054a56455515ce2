/**
 * A cluster whose brokers are Apache Kafka: starts them, says when all of them serve, starts anew one that has ended
 * or is to be configured otherwise, and makes Kafka know the users. Promises that a cluster whose brokers do not
 * come up fails, with the reason: at once while it is being made, after some tries later.
 *
 *   match ─▶ start what does not run ─▶ one after another: configure anew ─▶ all serve? ─▶ note it ─▶ users
 *              │ ended while CREATING, or again and again ─▶ FAILED
 *              └ ended later ─▶ HEALING ─▶ after mskHealingMs ─▶ start
 */
import { serviceAddress } from "../dataplane/names.ts";
import { nodeName, nodesOf, openDoorsOf } from "../kafkaNodes.ts";
import type { ClusterNodeRow, ClusterRow } from "../serviceRows.ts";
import { prepareBroker, prepareCluster, wantedProperties } from "./brokerFolder.ts";
import { BrokerProcess, type BrokerState } from "./brokerProcess.ts";
import { dial } from "./dial.ts";
import { servingBrokers } from "./kafkaWire.ts";
import type { Keeper, KeeperRoom, ShownBroker } from "./keeper.ts";
import { HostDoors } from "./listenerKeeper.ts";
import { applyUsers, usersOf } from "./scramUsers.ts";
import { REPLICATION_PORT } from "./serverProperties.ts";
import type { Software } from "./software.ts";
import { isOpen, matchTopics, unmade } from "./topics.ts";

interface Broker {
  readonly name: string;
  readonly process: BrokerProcess;
  /** The way into its host: another one, and the namespaces were made anew. */
  readonly entry: string;
  /** The configuration it was started with. */
  readonly properties: string;
  /** How often it has ended, one time after the other, without having served. */
  readonly failedStarts: number;
  /** It was told to end, to be started with another configuration. */
  isTurned: boolean;
}

/** Slower than the slowest honest start on a busy machine. */
const START_WITHIN_MS = 240_000;
const FAILED_STARTS = 5;
/** Until Kafka is asked again what it would not say. */
const AGAIN_MS = 500;

export class KafkaKeeper implements Keeper {
  readonly #room: KeeperRoom;
  readonly #software: Software;
  readonly #brokers = new Map<number, Broker>();
  readonly #iam: HostDoors;
  /** The users that Kafka knows. */
  #users: string | undefined;
  #topicsDueAt = 0;
  #complained = "";
  #isEnding = false;

  constructor(room: KeeperRoom, software: Software) {
    this.#room = room;
    this.#software = software;
    const closed = (name: string, port: number) =>
      room.log(`${name}: IAM is not part of this sandbox: a connection to port ${port} was closed`);
    const iamDoors = (row: ClusterRow) =>
      openDoorsOf(row).flatMap(({ proof, port }) =>
        proof === "iam" ? [{ port, does: "close" as const }] : [],
      );
    this.#iam = new HostDoors(room, iamDoors, closed);
  }

  async match(row: ClusterRow): Promise<number | undefined> {
    if (!row.brokers) {
      this.#adopt(row);
      return undefined;
    }
    await this.#iam.match(row);
    const problem = await this.#startAll(row);
    if (problem !== undefined) {
      this.#fail(row, problem);
      return undefined;
    }
    const states = [...this.#brokers.values()].map(({ process }) => process.state);
    if (states.some(({ is }) => is !== "serving")) return this.#waited(row, states);
    if (await this.#turnOne(row)) return undefined;
    return this.#serving(row);
  }

  shown(): ShownBroker[] {
    return [...this.#brokers.values()].map(({ name, process }) => {
      const { state, pid } = process;
      const why = state.is === "ended" ? { why: state.why } : {};
      const number = pid !== undefined && state.is !== "ended" ? { pid } : {};
      return { name, state: state.is, since: state.since, ...number, ...why };
    });
  }

  log(name: string): readonly string[] | undefined {
    return this.#named(name)?.process.lines;
  }

  async kill(name: string): Promise<boolean> {
    const broker = this.#named(name);
    if (!broker || broker.process.state.is === "ended") return false;
    await broker.process.stop("KILL");
    await broker.process.ended;
    return true;
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    this.#iam.close();
    const all = [...this.#brokers.values()].map(({ process }) => process);
    // Where the namespaces have gone, so have the processes.
    await Promise.all(all.map((process) => process.stop("KILL").catch(() => {})));
    await Promise.all(all.map(({ ended }) => ended));
  }

  #named(name: string): Broker | undefined {
    return [...this.#brokers.values()].find((broker) => broker.name === name);
  }

  /** A cluster that was made while Kafka was not there gets its brokers now. */
  #adopt(row: ClusterRow): void {
    const now = this.#room.clock.now();
    const isNew = row.activeAt === undefined || row.activeAt > now;
    const { cloud } = this.#room;
    cloud.noteBrokers(row.id, { brokers: isNew ? {} : { servingAt: now, downSince: now } });
    cloud.noteTopics({ put: unmade(cloud.tables, row), remove: [] });
  }

  /** Why the cluster fails, if it does. */
  async #startAll(row: ClusterRow): Promise<string | undefined> {
    const now = this.#room.clock.now();
    for (const node of nodesOf(row, "broker")) {
      const broker = this.#brokers.get(node.number);
      const state = broker?.process.state;
      if (!broker || !state) {
        const problem = await this.#start(row, node, 0);
        if (problem !== undefined) return problem;
      } else if (broker.entry !== this.#entryOf(broker.name)) {
        await broker.process.ended;
        await this.#start(row, node, 0);
      } else if (state.is === "ended") {
        const failedStarts = state.hasServed || broker.isTurned ? 0 : broker.failedStarts + 1;
        const why = `${broker.name} did not start: ${state.why}`;
        if (row.brokers?.servingAt === undefined || failedStarts >= FAILED_STARTS) return why;
        if (now < this.#startAgainAt(broker, state)) continue;
        const problem = await this.#start(row, node, failedStarts);
        if (problem !== undefined) this.#room.log(problem);
      } else if (state.is === "starting" && now >= state.since + START_WITHIN_MS) {
        await broker.process.stop("KILL");
      }
    }
    return undefined;
  }

  #entryOf(name: string): string {
    return this.#room.plane.entry(name).join(" ");
  }

  #startAgainAt({ isTurned }: Broker, { since }: BrokerState): number {
    return isTurned ? since : since + this.#room.cloud.settings.mskHealingMs;
  }

  /** Why it cannot be begun, if so. */
  async #start(row: ClusterRow, node: ClusterNodeRow, failedStarts: number): Promise<string | undefined> {
    const { plane, clock, folder: root, authority } = this.#room;
    const name = nodeName(row, node);
    try {
      await prepareCluster(root, row, authority);
      const folder = await prepareBroker(root, row, node);
      const process = new BrokerProcess({
        clock,
        entry: await plane.inside(name),
        folder,
        software: this.#software,
        run: (script) => plane.run(script),
        onChange: () => this.#changed(name, process),
      });
      const properties = wantedProperties(root, row, node);
      const as = { name, process, properties, failedStarts, entry: this.#entryOf(name) };
      this.#brokers.set(node.number, { ...as, isTurned: false });
      return undefined;
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException;
      return `${name} did not start: ${code === "ENOSPC" ? `the disk of ${root} is full` : message}`;
    }
  }

  #changed(name: string, process: BrokerProcess): void {
    const { state } = process;
    if (state.is === "ended" && !this.#isEnding && !this.#named(name)?.isTurned)
      this.#room.log(`${name} has ended: ${state.why}`);
    this.#room.wake();
  }

  #fail(row: ClusterRow, why: string): void {
    this.#room.log(`the cluster ${row.name} fails: ${why}`);
    this.#room.cloud.noteBrokers(row.id, {
      ...(row.brokers ? { brokers: row.brokers } : {}),
      failure: { code: "BROKERS_DID_NOT_START", message: why },
    });
  }

  /** When the first of those that are waited for is due. */
  #waited(row: ClusterRow, states: readonly BrokerState[]): number {
    const { brokers } = row;
    if (brokers?.servingAt !== undefined && brokers.downSince === undefined)
      this.#room.cloud.noteBrokers(row.id, { brokers: { ...brokers, downSince: this.#room.clock.now() } });
    const due = [...this.#brokers.values()].map((broker, at) => {
      const state = states[at] ?? broker.process.state;
      if (state.is === "ended") return this.#startAgainAt(broker, state);
      return state.is === "starting" ? state.since + START_WITHIN_MS : Number.POSITIVE_INFINITY;
    });
    return Math.min(...due);
  }

  /** True when a broker was told to end because it is to be configured otherwise. */
  async #turnOne(row: ClusterRow): Promise<boolean> {
    for (const node of nodesOf(row, "broker")) {
      const broker = this.#brokers.get(node.number);
      if (!broker || broker.properties === wantedProperties(this.#room.folder, row, node)) continue;
      broker.isTurned = true;
      await broker.process.stop("TERM");
      return true;
    }
    return false;
  }

  async #serving(row: ClusterRow): Promise<number | undefined> {
    const { clock, cloud, log } = this.#room;
    try {
      const brokers = row.brokers ?? {};
      if (brokers.servingAt === undefined || brokers.downSince !== undefined) {
        if (!(await this.#allAnswer())) return clock.now() + AGAIN_MS;
        const { downSince: _, ...rest } = brokers;
        cloud.noteBrokers(row.id, { brokers: { ...rest, servingAt: brokers.servingAt ?? clock.now() } });
        log(
          `the cluster ${row.name} serves: ${this.#brokers.size} brokers of Apache Kafka ${this.#software.version}`,
        );
      }
      await this.#matchUsers(row);
      return await this.#matchTopics(row);
    } catch (thrown) {
      this.#complain(`${row.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      return clock.now() + AGAIN_MS;
    }
  }

  async #allAnswer(): Promise<boolean> {
    const serving = await this.#asked(servingBrokers);
    return [...this.#brokers.keys()].every((number) => serving.includes(number));
  }

  async #matchUsers(row: ClusterRow): Promise<void> {
    if (!row.authentication.scram) return;
    const { users, unreadable } = usersOf(this.#room.cloud.tables, row);
    const [secret] = unreadable;
    if (secret)
      this.#complain(
        `${row.name}: no user of the secret ${secret}: it must be {"username": …, "password": …}`,
      );
    const wanted = JSON.stringify(users);
    if (this.#users === wanted) return;
    await this.#asked((socket) => applyUsers(socket, users));
    this.#users = wanted;
  }

  /** When they are to be looked at again. */
  async #matchTopics(row: ClusterRow): Promise<number> {
    const { clock, cloud, log } = this.#room;
    const isOpenHere = cloud.tables.topics.all().some((one) => one.clusterArn === row.id && isOpen(one));
    if (!isOpenHere && clock.now() < this.#topicsDueAt) return this.#topicsDueAt;
    const now = () => clock.now();
    const hasMore = await this.#asked((socket) => matchTopics({ cloud, log, now }, row, socket));
    this.#topicsDueAt = clock.now() + (hasMore ? AGAIN_MS : cloud.settings.mskTopicsOldMs);
    return this.#topicsDueAt;
  }

  /** Once, however often it is found. */
  #complain(line: string): void {
    if (line !== this.#complained) this.#room.log(line);
    this.#complained = line;
  }

  /** Asks the first broker, on the service's own network. */
  async #asked<T>(ask: (socket: Parameters<typeof servingBrokers>[0]) => Promise<T>): Promise<T> {
    const [first] = this.#brokers;
    if (!first) throw new Error("there are no brokers");
    const [number, { name }] = first;
    const socket = await dial(this.#room.plane.entry(name), {
      host: serviceAddress(number),
      port: REPLICATION_PORT,
    });
    socket.on("error", () => {});
    try {
      return await ask(socket);
    } finally {
      socket.destroy();
    }
  }
}
