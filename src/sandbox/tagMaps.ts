/**
 * Tags as MSK and Lambda have them: a map of texts on a row of theirs. The rules are those of all AWS's tags
 * (tags.ts), worded by the service.
 * https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
 */
import type { Row, Tag } from "./state.ts";
import { checked, merged, type TagRefusals } from "./tags.ts";

export type TagMap = Readonly<Record<string, string>>;

/** The tags a thing is created with. */
export function tagsFromMap(map: TagMap | undefined, refusals: TagRefusals): Tag[] {
  const tags = Object.entries(map ?? {}).map(([Key, Value]) => ({ Key, Value }));
  return checked(tags, refusals);
}

export function mapFromTags(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

/** The row with more tags; a key that is there takes the new value. */
export function tagged<R extends Row>(row: R, map: TagMap | undefined, refusals: TagRefusals): R {
  return { ...row, tags: merged(row.tags, tagsFromMap(map, refusals), refusals) };
}

/** The row without the tags of those keys; keys it does not have are nothing to speak of. */
export function untagged<R extends Row>(row: R, keys: readonly string[] | undefined): R {
  return { ...row, tags: row.tags.filter(({ Key }) => !keys?.includes(Key)) };
}
