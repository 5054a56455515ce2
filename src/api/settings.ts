/** What the operator sets for the whole installation. */
import type { AnswerOf } from "../contract/operations.ts";
import type { Settings } from "../domain/model.ts";
import type { Handlers } from "./call.ts";
import { RequestFailure } from "./errors.ts";

export const settingsHandlers: Handlers<"settings.view" | "settings.update"> = {
  "settings.view": async ({ store }) => settingsView(await store.settings()),

  async "settings.update"({ intent }, { actor, body }) {
    const { defaultTenantRangeLimit, ...rest } = body;
    const wish = { ...rest, defaultRangeLimit: defaultTenantRangeLimit };
    const change = Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
    if (Object.keys(change).length === 0)
      throw new RequestFailure("invalid", "Nothing to change: give at least one setting");
    return settingsView(await intent.updateSettings(actor, change));
  },
};

function settingsView(settings: Settings): AnswerOf<"settings.view"> {
  return {
    installation: settings.installation,
    addressSpace: [...settings.addressSpace],
    excludedCidrs: [...settings.excludedCidrs],
    excludedZoneIds: [...settings.excludedZoneIds],
    quarantineSeconds: settings.quarantineSeconds,
    defaultTenantRangeLimit: settings.defaultRangeLimit,
  };
}
