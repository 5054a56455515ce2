/**
 * The embedded database, with turns for everybody else. Its queries resolve in microtasks alone, so that a
 * busy query loop would stop timers, sockets and signals. Promises a turn of the event loop every few
 * messages; counted, not timed, because time belongs to the clock that is handed in.
 */
import { setImmediate } from "node:timers/promises";
import { PGlite } from "@electric-sql/pglite";

/** A query is about five messages; most take a tenth of a millisecond in all. */
const MESSAGES_PER_TURN = 8;

export class YieldingPGlite extends PGlite {
  #messages = 0;

  override async execProtocolRaw(
    ...args: Parameters<PGlite["execProtocolRaw"]>
  ): ReturnType<PGlite["execProtocolRaw"]> {
    const answer = await super.execProtocolRaw(...args);
    if (++this.#messages % MESSAGES_PER_TURN === 0) await setImmediate();
    return answer;
  }

  override async execProtocolRawStream(
    ...args: Parameters<PGlite["execProtocolRawStream"]>
  ): ReturnType<PGlite["execProtocolRawStream"]> {
    await super.execProtocolRawStream(...args);
    if (++this.#messages % MESSAGES_PER_TURN === 0) await setImmediate();
  }
}
