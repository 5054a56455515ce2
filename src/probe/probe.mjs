// @ts-check
/**
 * The probe: the one function that we put into a network. It opens one connection from inside, and tells of each stage
 * what happened and how long it took; what that means is judged elsewhere. It runs alone, in a VPC, on the provider's
 * Node: so it is plain JavaScript, imports nothing but Node and its own folder, and goes by its own clock. Promises to
 * answer within 20 s, to send nothing but the greetings of TLS and Kafka, and to keep no connection open. Refuses
 * addresses that mean the place it runs in itself.
 *
 *   resolve ─▶ connect ─▶ (tls) ─▶ (apiVersions ─▶ metadata)      the first that fails is the last
 */
import { lookup } from "node:dns/promises";
import { BlockList, connect as open } from "node:net";
import { apiVersions, mechanisms, metadata } from "./kafka.mjs";
import { handshake, secure } from "./secured.mjs";
import { Stages, Stopped } from "./stages.mjs";

/**
 * @typedef {object} ProbeOrder
 * @property {string} host
 * @property {number} port
 * @property {"tcp" | "tls" | "kafka"} protocol
 * @property {boolean} tls Whether TLS is spoken.
 * @property {string | null} ca Authorities to trust instead of the public ones, as PEM.
 * @property {number} stageMs How long one stage may take.
 */

/**
 * @typedef {object} Findings
 * @property {import("./stages.mjs").StageSeen[]} stages
 * @property {string[]} addresses What the name resolves to.
 * @property {import("./secured.mjs").Secured | null} tls
 * @property {import("./kafka.mjs").KafkaSeen | null} kafka
 */

/** The caller gives an answer 30 s, the start of the function included. */
const WHOLE_MS = 20_000;

/** Itself, and the services of the machine it runs on. */
const OWN = new BlockList();
OWN.addSubnet("0.0.0.0", 8);
OWN.addSubnet("127.0.0.0", 8);
OWN.addSubnet("169.254.0.0", 16);

/**
 * What the provider calls.
 * @param {ProbeOrder} order
 * @returns {Promise<Findings>}
 */
export function handler(order) {
  return probe(order, OWN);
}

/**
 * @param {ProbeOrder} order
 * @param {BlockList} own Addresses that are not to be connected to.
 * @returns {Promise<Findings>}
 */
export async function probe(order, own) {
  const stages = new Stages({ stageMs: order.stageMs, wholeMs: WHOLE_MS });
  const visit = new Visit(order, { stages, own });
  try {
    await visit.goThrough();
  } catch (thrown) {
    // The stage that stopped it is written down; anything else is a fault of this program.
    if (!(thrown instanceof Stopped)) throw thrown;
  } finally {
    await visit.end();
  }
  return { stages: stages.seen, ...visit.found };
}

class Visit {
  /** @type {Omit<Findings, "stages">} */
  found = { addresses: [], tls: null, kafka: null };
  #order;
  #stages;
  #own;
  /** @type {import("node:net").Socket[]} */
  #sockets = [];

  /**
   * @param {ProbeOrder} order
   * @param {{ stages: Stages, own: BlockList }} means
   */
  constructor(order, { stages, own }) {
    this.#order = order;
    this.#stages = stages;
    this.#own = own;
  }

  async goThrough() {
    const { protocol, tls } = this.#order;
    const address = await this.#stages.run("resolve", () => this.#resolve());
    const plain = await this.#stages.run("connect", () => this.#connect(address));
    const socket = tls ? await this.#stages.run("tls", () => this.#secure(plain)) : plain;
    if (protocol === "kafka") await this.#greet(socket);
  }

  /**
   * What stands on another first, and not from within a handshake's own call: either brings Node down (24.21).
   */
  async end() {
    await new Promise(setImmediate);
    for (const socket of this.#sockets.toReversed()) socket.destroy();
  }

  async #resolve() {
    const found = await lookup(this.#order.host, { all: true, family: 4 });
    this.found.addresses = found.map(({ address }) => address);
    const [first = ""] = this.found.addresses;
    return { detail: this.found.addresses.join(", "), value: first };
  }

  /**
   * @param {string} address
   * @returns {Promise<{ detail: string, value: import("node:net").Socket }>}
   */
  #connect(address) {
    if (this.#own.check(address))
      throw new Stopped("OWN_ADDRESS", `${address} means the probe itself, and nothing in a network`);
    const { promise, resolve, reject } = Promise.withResolvers();
    const { port } = this.#order;
    const socket = open({ host: address, port });
    this.#sockets.push(socket);
    socket.once("connect", () => resolve({ detail: `connected to ${address}:${port}`, value: socket }));
    // Of what happens later the stages hear by themselves; without a listener it would end the process.
    socket.on("error", reject);
    return promise;
  }

  /** @param {import("node:net").Socket} plain */
  async #secure(plain) {
    const socket = secure(plain, this.#order);
    this.#sockets.push(socket);
    const found = await handshake(socket);
    this.found.tls = found;
    const { protocol, cipher, error } = found;
    if (error !== null) throw new Stopped(error, `${protocol}; its certificate is not trusted: ${error}`);
    return { detail: `${protocol}, ${cipher}, certificate trusted`, value: socket };
  }

  /** @param {import("node:net").Socket} socket */
  async #greet(socket) {
    const apis = await this.#stages.run("apiVersions", async () => {
      const value = await apiVersions(socket);
      this.found.kafka = seenSoFar(value);
      return { detail: `Kafka: ${value.length} kinds of requests`, value };
    });
    await this.#stages.run("metadata", async () => {
      const wanted = await mechanisms(socket, apis);
      const whole = wanted.length > 0 ? null : await metadata(socket, apis);
      this.found.kafka = { ...seenSoFar(apis), mechanisms: wanted, ...whole };
      return { detail: toldOf(this.found.kafka), value: null };
    });
  }
}

/**
 * @param {readonly { key: number, min: number, max: number }[]} apis
 * @returns {import("./kafka.mjs").KafkaSeen}
 */
function seenSoFar(apis) {
  const fetch = apis.find(({ key }) => key === 1);
  return {
    requests: apis.length,
    fetchVersions: fetch ? `${fetch.min}-${fetch.max}` : "",
    mechanisms: [],
    clusterId: null,
    controllerId: null,
    brokers: [],
  };
}

/** @param {import("./kafka.mjs").KafkaSeen} kafka */
function toldOf({ mechanisms: wanted, brokers, clusterId }) {
  if (wanted.length > 0) return `not told without credentials: it wants ${wanted.join(", ")}`;
  const count = `${brokers.length} broker${brokers.length === 1 ? "" : "s"}`;
  return clusterId === null ? count : `${count}, cluster ${clusterId}`;
}
