/**
 * What the hosts find around them, kept in step with what is applied: the resolver and the metadata service of
 * each VPC that has a host who may ask, and the user data of each instance that comes up. Promises that packets never
 * wait for any of it, that a host's script begins when its VPC's resolver answers, and that nothing of it is
 * left after `close`. When the namespaces were lost and made anew, hosts boot again.
 *
 *   applied ─▶ VPC came ─▶ its sockets open ─▶ ready ─┐
 *          └─▶ host came ────────────────────────────┴─▶ user data runs, its console is written
 */
import { randomBytes } from "node:crypto";
import type { Tables } from "../world.ts";
import type { Holder } from "./holder.ts";
import { hostEntry, hostFolder, identityOf } from "./hosts.ts";
import { openDoors } from "./listeners.ts";
import { resolverOf } from "./names.ts";
import type { Host, Router, Topology } from "./topology.ts";
import { type ConsoleOptions, OWN_PROCESSES, runScript, runUserData } from "./userData.ts";
import { doorsOf, serveDoors } from "./vpcServers.ts";

export interface SurroundingsOptions extends ConsoleOptions {
  readonly tables: Tables;
  /** Told what a person should know, one line each. */
  readonly log: (line: string) => void;
}

interface Neighbourhood {
  /** Resolves when its hosts can ask, or when it is known that they cannot. */
  readonly ready: Promise<void>;
  close(): void;
}

/** How many openers of sockets run at once. */
const AT_ONCE = 2;

export class Surroundings {
  readonly #options: SurroundingsOptions;
  readonly #secret = randomBytes(32);
  readonly #vpcs = new Map<string, Neighbourhood>();
  /** The hosts that are up, and their VPCs. */
  readonly #hosts = new Map<string, string>();
  /** What user data runs, or left running. */
  readonly #running = new Set<Promise<void>>();
  readonly #lanes: Promise<void>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
  #holder: Holder | undefined;
  #isClosed = false;
  #opened = 0;

  constructor(options: SurroundingsOptions) {
    this.#options = options;
  }

  /** These routers and hosts stand now, in that holder. */
  applied({ routers, hosts, peerings }: Topology, holder: Holder): void {
    if (this.#isClosed) return;
    if (this.#holder !== holder) this.#forget();
    this.#holder = holder;
    const instances = hosts.filter(({ kind }) => kind === "instance");
    const asking = new Set(hosts.filter(({ kind }) => kind !== "natGateway").map(({ vpcId }) => vpcId));
    const wanted = routers.filter(({ id }) => asking.has(id));
    this.#matchVpcs(wanted, holder);
    this.#matchHosts(instances, { routers, hosts, peerings }, holder);
    const { consoles, tables } = this.#options;
    consoles.keep((id) => tables.instances.get(id) !== undefined);
  }

  /** Resolves when that host can ask its resolver; at once when it has none. */
  async ready({ vpcId }: Pick<Host, "vpcId">): Promise<void> {
    await this.#vpcs.get(vpcId)?.ready;
  }

  /** After the holder has been closed: what user data left running has ended with it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#forget();
    await Promise.all([...this.#lanes, ...this.#running]);
  }

  #forget(): void {
    for (const vpc of this.#vpcs.values()) vpc.close();
    this.#vpcs.clear();
    this.#hosts.clear();
  }

  #matchVpcs(wanted: readonly Router[], holder: Holder): void {
    const ids = new Set(wanted.map(({ id }) => id));
    for (const [id, vpc] of this.#vpcs) {
      if (ids.has(id)) continue;
      vpc.close();
      this.#vpcs.delete(id);
    }
    for (const router of wanted)
      if (!this.#vpcs.has(router.id)) this.#vpcs.set(router.id, this.#opening(router, holder));
  }

  #opening({ id: vpcId, blocks }: Router, holder: Holder): Neighbourhood {
    const { tables, clock, log } = this.#options;
    const [primary] = blocks;
    let isGone = false;
    let stop = () => {};
    const open = async () => {
      if (isGone || !primary) return;
      const opened = await openDoors(holder.entry(vpcId), doorsOf(resolverOf(primary)));
      const look = () => ({ tables, now: clock.now() });
      stop = serveDoors(opened, { vpcId, look, secret: this.#secret });
      if (isGone) stop();
    };
    const ready = this.#inTurn(open).catch((thrown: unknown) => {
      if (isGone) return;
      log(`${vpcId} has no resolver and no metadata: ${String(thrown)}`);
      // The next change of the state tries again.
      this.#vpcs.delete(vpcId);
    });
    const close = () => {
      isGone = true;
      stop();
    };
    return { ready, close };
  }

  /** A process starts for each: a few at a time, so that packets and requests are not held up. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const lane = this.#opened++ % AT_ONCE;
    const done = (this.#lanes[lane] ?? Promise.resolve()).then(work);
    this.#lanes[lane] = done.catch(() => {});
    return done;
  }

  #matchHosts(wanted: readonly Host[], topology: Topology, holder: Holder): void {
    const ids = new Set(wanted.map(({ id }) => id));
    for (const id of this.#hosts.keys()) {
      if (ids.has(id)) continue;
      this.#hosts.delete(id);
      // Its home; when the holder has gone, so has that.
      void holder.run(`rm -rf ${hostFolder(id)}`).catch(() => {});
    }
    for (const host of wanted.filter(({ id }) => !this.#hosts.has(id))) {
      this.#hosts.set(host.id, host.vpcId);
      const running = this.#boot(host, topology, holder);
      this.#running.add(running);
      void running.finally(() => this.#running.delete(running));
    }
  }

  async #boot({ id, vpcId }: Host, topology: Topology, holder: Holder): Promise<void> {
    const host = identityOf(topology, id);
    const { clock, consoles, tables } = this.#options;
    consoles.writeLine(id, `${host.hostname} is up`, clock.now());
    await this.ready({ vpcId });
    if (this.#holder !== holder || this.#isClosed || !this.#hosts.has(id)) return;
    const entry = [...holder.entry(id), ...OWN_PROCESSES];
    const command = [...hostEntry(entry, host), ...runScript(id)];
    const userData = tables.instances.get(id)?.userData;
    await runUserData({ clock, consoles, instanceId: id, userData, command });
  }
}
