/**
 * A cluster whose brokers are plain listeners on the ports that Kafka would have: networks can be tried, Kafka
 * cannot. Opens them anew when the namespaces were made anew or other ports are to be open.
 */
import { nodeName, nodesOf, openDoorsOf } from "../kafkaNodes.ts";
import type { ClusterNodeRow, ClusterRow } from "../serviceRows.ts";
import type { Keeper, KeeperRoom, ShownBroker } from "./keeper.ts";
import { openPlainDoors, type PlainDoor } from "./plainDoors.ts";

interface OpenHost {
  /** What it was opened for: another way in, or other ports, and it is opened anew. */
  readonly as: string;
  readonly since: number;
  readonly close: () => void;
}

/** Doors of this process in the hosts of a cluster's brokers; `doorsOf` says which. */
export class HostDoors {
  readonly #room: KeeperRoom;
  readonly #doorsOf: (row: ClusterRow) => readonly PlainDoor[];
  readonly #onClosed: (name: string, port: number) => void;
  readonly #open = new Map<string, OpenHost>();

  constructor(
    room: KeeperRoom,
    doorsOf: (row: ClusterRow) => readonly PlainDoor[],
    onClosed: (name: string, port: number) => void = () => {},
  ) {
    this.#room = room;
    this.#doorsOf = doorsOf;
    this.#onClosed = onClosed;
  }

  async match(row: ClusterRow): Promise<void> {
    for (const node of nodesOf(row, "broker")) await this.#matchHost(row, node);
  }

  since(name: string): number | undefined {
    return this.#open.get(name)?.since;
  }

  close(): void {
    for (const { close } of this.#open.values()) close();
    this.#open.clear();
  }

  async #matchHost(row: ClusterRow, node: ClusterNodeRow): Promise<void> {
    const { plane, clock } = this.#room;
    const name = nodeName(row, node);
    const doors = this.#doorsOf(row);
    const entry = plane.entry(name);
    const as = JSON.stringify([entry, doors]);
    const open = this.#open.get(name);
    if (open?.as === as) return;
    open?.close();
    this.#open.delete(name);
    if (doors.length === 0) return;
    const onClosed = (port: number) => this.#onClosed(name, port);
    const close = await openPlainDoors({ entry, address: node.privateIp, onClosed }, doors);
    this.#open.set(name, { as, since: clock.now(), close });
  }
}

export class ListenerKeeper implements Keeper {
  readonly #room: KeeperRoom;
  readonly #doors: HostDoors;
  #names: readonly string[] = [];

  constructor(room: KeeperRoom) {
    this.#room = room;
    this.#doors = new HostDoors(room, (row) => openDoorsOf(row).map(({ port }) => ({ port, does: "hold" })));
  }

  async match(row: ClusterRow): Promise<undefined> {
    // Made when Kafka was there: nobody is to wait for it.
    if (row.brokers) this.#room.cloud.noteBrokers(row.id, {});
    this.#names = nodesOf(row, "broker").map((node) => nodeName(row, node));
    await this.#doors.match(row);
  }

  shown(): ShownBroker[] {
    return this.#names.map((name) => {
      const since = this.#doors.since(name);
      return { name, state: since === undefined ? "closed" : "listening", since: since ?? 0 };
    });
  }

  log(name: string): readonly string[] | undefined {
    return this.#names.includes(name) ? [] : undefined;
  }

  async kill(): Promise<boolean> {
    return false;
  }

  async end(): Promise<void> {
    this.#doors.close();
  }
}
