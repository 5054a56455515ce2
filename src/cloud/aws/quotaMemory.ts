/**
 * What Service Quotas said about each cell, kept, because limits change seldom and its API is slow and small.
 * Promises one question under way a cell, and an answer at most as old as is asked for. When AWS does not answer,
 * the last limits of the same day stand in: quotas are raised, hardly ever lowered.
 */
import type { Cell, Clock } from "../../domain/model.ts";
import type { LimitsAge } from "../cloud.ts";
import { failureOf } from "./errors.ts";
import type { Limits } from "./quotaUse.ts";

export interface QuotaMemory {
  limits(cell: Cell, age: LimitsAge): Promise<Limits>;
}

const AGE_MS: Readonly<Record<LimitsAge, number>> = { hour: 3_600_000, minute: 60_000 };
const STANDS_IN_MS = 86_400_000;

interface Known {
  readonly at: number;
  readonly limits: Limits;
}

export function quotaMemory(clock: Clock, ask: (cell: Cell) => Promise<Limits>): QuotaMemory {
  const known = new Map<string, Known>();
  const underWay = new Map<string, Promise<Limits>>();

  async function asked(cell: Cell, key: string): Promise<Limits> {
    const at = clock.now();
    try {
      const limits = await ask(cell);
      known.set(key, { at, limits });
      return limits;
    } catch (error) {
      const last = known.get(key);
      if (last && failureOf(error).code === "unavailable" && at - last.at < STANDS_IN_MS) return last.limits;
      throw error;
    } finally {
      underWay.delete(key);
    }
  }

  return {
    async limits(cell, age) {
      const key = JSON.stringify([cell.account, cell.roleArn, cell.region]);
      const last = known.get(key);
      if (last && clock.now() - last.at < AGE_MS[age]) return last.limits;
      const question = underWay.get(key) ?? asked(cell, key);
      underWay.set(key, question);
      return question;
    },
  };
}
