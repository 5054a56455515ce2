// @ts-check
/**
 * One stage of a probe after another, each timed and each with its limit. Promises that a stage which fails, or takes
 * too long, is written down as such and ends the probe: `Stopped` says why, in one code.
 */

/** The expected end of a probe: a stage did not succeed. */
export class Stopped extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = "Stopped";
    this.code = code;
  }
}

/** @typedef {"resolve" | "connect" | "tls" | "apiVersions" | "metadata"} StageName */

/**
 * @typedef {object} StageSeen
 * @property {StageName} stage
 * @property {"ok" | "failed"} outcome
 * @property {number} ms
 * @property {string | null} code What went wrong, in Node's, OpenSSL's or our own word.
 * @property {string} detail
 */

export class Stages {
  /** @type {StageSeen[]} */
  seen = [];
  #stageMs;
  #until;

  /** @param {{ stageMs: number, wholeMs: number }} limits */
  constructor({ stageMs, wholeMs }) {
    this.#stageMs = stageMs;
    this.#until = performance.now() + wholeMs;
  }

  /**
   * Runs one stage; what it is told at the end is its detail.
   * @template T
   * @param {StageName} stage
   * @param {() => Promise<{ detail: string, value: T }>} work
   * @returns {Promise<T>}
   */
  async run(stage, work) {
    const began = performance.now();
    const limit = Math.max(1, Math.min(this.#stageMs, this.#until - began));
    try {
      const { detail, value } = await within(limit, work());
      this.#tell({ stage, outcome: "ok", code: null, detail }, began);
      return value;
    } catch (thrown) {
      const { code, message } = told(thrown);
      this.#tell({ stage, outcome: "failed", code, detail: message }, began);
      throw new Stopped(code, message);
    }
  }

  /**
   * @param {Omit<StageSeen, "ms">} stage
   * @param {number} began
   */
  #tell(stage, began) {
    this.seen.push({ ...stage, ms: Math.round((performance.now() - began) * 10) / 10 });
  }
}

/**
 * @template T
 * @param {number} ms
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
function within(ms, work) {
  /** @type {Promise<never>} */
  const late = new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Stopped("TIMEOUT", `nothing within ${Math.round(ms)} ms`)), ms);
    const end = () => clearTimeout(timer);
    work.then(end, end);
  });
  return Promise.race([work, late]);
}

/**
 * @param {unknown} thrown
 * @returns {{ code: string, message: string }}
 */
function told(thrown) {
  if (!(thrown instanceof Error)) return { code: "UNKNOWN", message: String(thrown) };
  const code = "code" in thrown && typeof thrown.code === "string" ? thrown.code : "UNKNOWN";
  return { code, message: thrown.message };
}
