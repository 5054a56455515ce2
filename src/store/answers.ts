/**
 * Answers already given, by idempotency key: the same request again gets the same answer and does nothing.
 * Promises that of two such requests at the same time the second waits for the first. Forgets an answer
 * after a day.
 */
import { sql } from "kysely";
import type { RememberedAnswer } from "./store.ts";
import { json, type Session } from "./tables.ts";

export interface AnswerKey {
  readonly scope: string;
  readonly operation: string;
  readonly key: string;
}

const KEPT_MS = 24 * 60 * 60 * 1000;
const FORGOTTEN_AT_ONCE = 100;

export async function answerFor({ db, clock }: Session, asked: AnswerKey): Promise<RememberedAnswer | null> {
  const name = JSON.stringify([asked.scope, asked.operation, asked.key]);
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(db);
  const row = await db
    .selectFrom("answer")
    .select(["requestHash", "status", "body"])
    .where("scope", "=", asked.scope)
    .where("operation", "=", asked.operation)
    .where("key", "=", asked.key)
    .where("at", ">", clock.now() - KEPT_MS)
    .executeTakeFirst();
  return row ?? null;
}

/** Rejects with `conflict` when the key has an answer. */
export async function rememberAnswer(
  { db, clock }: Session,
  given: AnswerKey,
  answer: RememberedAnswer,
): Promise<void> {
  const now = clock.now();
  await sql`delete from answer where ctid in (
    select ctid from answer where at <= ${now - KEPT_MS}::bigint
    order by at limit ${FORGOTTEN_AT_ONCE} for update skip locked)`.execute(db);
  const { scope, operation, key } = given;
  const { requestHash, status } = answer;
  await db
    .insertInto("answer")
    .values({ scope, operation, key, requestHash, status, body: json(answer.body), at: now })
    .execute();
}
