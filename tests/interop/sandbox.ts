/** A sandbox cloud on the machine's own clock, for programs that wait by it. For tests alone. */
import { createSandbox } from "../../src/sandbox/server.ts";
import { type Settings, settings } from "../../src/sandbox/settings.ts";
import { fastClock } from "../support/clocks.ts";

export const PLATFORM = "999999999999";
export const CUSTOMER = "111122223333";

export interface OpenSandbox {
  readonly url: string;
  /** Unexpected exceptions of the sandbox; a test looks that there are none. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export async function openSandbox(over: Partial<Settings> = {}): Promise<OpenSandbox> {
  const complaints: string[] = [];
  const log = (line: string) => void complaints.push(line);
  const sandbox = await createSandbox({ clock: fastClock(1), settings: settings("quick", over), log });
  const { url } = await sandbox.listen(0);
  return { url, complaints, close: () => sandbox.close() };
}
