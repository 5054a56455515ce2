/**
 * A sandbox cloud that goes away and comes back: the same port, the same data folder. Promises that what it
 * answered before is there again, and that its folder is gone after `remove`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/domain/model.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/server.ts";
import type { Settings } from "../../src/sandbox/settings.ts";
import { testSettings } from "./house.ts";

export interface StoppableSandbox {
  readonly url: string;
  /** Cuts every connection. */
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

export async function stoppableSandbox(
  clock: Clock,
  over: Partial<Settings> = {},
): Promise<StoppableSandbox> {
  const dataDir = mkdtempSync(join(tmpdir(), "letsdata-sandbox-"));
  let running: Sandbox = await createSandbox({ clock, settings: testSettings(over), dataDir });
  const { url, port } = await running.listen(0);
  const stop = () => running.close();
  return {
    url,
    stop,
    start: async () => {
      running = await createSandbox({ clock, settings: testSettings(over), dataDir });
      await running.listen(port);
    },
    remove: async () => {
      await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
