/**
 * How the packet tests are written: flows as rows of a table, phases that change the network and show what that
 * means, and what is asked of one connection. Promises that the tests of one phase run side by side, since most of
 * their time is waiting for what does not come.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type PacketNetwork, WAIT_MS } from "./packetNetwork.ts";
import type { Connection } from "./probes.ts";

/** What is shown, who sends (`A.broker0`), what to whom (`tcp 10.1.10.21:80`), and what becomes of it. */
export type Row = readonly [what: string, from: string, flow: string, outcome: string];

export function shows(network: PacketNetwork, rows: readonly Row[]): void {
  for (const [what, from, flow, outcome] of rows)
    test(what, async () => assert.equal(await network.flow(from, flow, outcome), network.filled(outcome)));
}

/** A state of the network, and what it shows: `body` declares the change that brings it about, and tests. */
export function phase(what: string, body: () => void): void {
  describe(what, { concurrency: true }, body);
}

/** Before the tests of a phase; packets obey it when they begin. */
export function change(network: PacketNetwork, how: () => Promise<unknown>): void {
  before(async () => {
    await how();
    await network.plane.settled();
  });
}

/** After the tests of a phase. */
export function changeBack(network: PacketNetwork, how: () => Promise<unknown>): void {
  after(async () => {
    await how();
    await network.plane.settled();
  });
}

export async function lives(connection: Connection, text: string): Promise<void> {
  assert.equal((await connection.say(text, WAIT_MS.comes)).outcome, "answered");
}

export async function isDead(connection: Connection, text: string): Promise<void> {
  assert.equal((await connection.say(text, WAIT_MS.lost)).outcome, "silent");
}

interface WholePing {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  readonly waitMs?: number;
}

/** One packet of that many bytes that must not be cut into pieces; what `ping` said of it. */
export function wholePing(
  network: PacketNetwork,
  { from, to, bytes, waitMs = WAIT_MS.comes }: WholePing,
): Promise<string> {
  return network.run(from, `ping -n -c 1 -W ${waitMs / 1000} -M do -s ${bytes - 28} ${to} 2>&1 || true`);
}

const MEGABYTE = 1_048_576;

/** A megabyte of chance: its digest at both ends. */
export async function arrivesWhole(network: PacketNetwork, from: string, flow: string): Promise<void> {
  const { outcome, seen, sent } = await network.send(from, flow, MEGABYTE);
  assert.equal(outcome, "answered");
  assert.equal(seen, sent);
}

/** Waits until it is so; fails when it never is. */
export async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS.comes;
  while (!(await ask())) if (Date.now() > deadline) assert.fail(`never: ${what}`);
}
