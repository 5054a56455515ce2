/**
 * Tags: the rules every taggable noun shares, and CreateTags, DeleteTags, DescribeTags over all of them.
 * Promises that tags given at creation are checked before the thing is made, as AWS rolls the creation back.
 * A peering has two sets of tags, one a side; a security group's rules are tagged inside their group.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { AwsError } from "./errors.ts";
import { isSide, NOUNS, notFound, type Prefix, peeringsOf } from "./find.ts";
import { matching, page } from "./query.ts";
import type { PeeringRow, SecurityGroupRow } from "./rows.ts";
import type { Row, Table, Tag } from "./state.ts";
import { seen } from "./visibility.ts";
import type { Call, Ec2Handlers } from "./world.ts";

const MAX_TAGS = 50;
const MAX_KEY = 128;
const MAX_VALUE = 256;

/**
 * The tags a thing of `resourceType` is created with, in the order given. Codes: InvalidParameterValue for
 * what AWS refuses in keys, values and resource types, TagLimitExceeded above 50. `alsoAllowed` are other
 * types the same call creates (RunInstances makes instances and interfaces).
 */
export function tagsFor(
  specifications: readonly ec2.TagSpecification[] | undefined,
  resourceType: string,
  alsoAllowed: readonly string[] = [],
): Tag[] {
  const seen = new Set<string>();
  for (const { ResourceType: type = "" } of specifications ?? []) {
    if (type === "") throw invalid("Tag specification resource type must have a value");
    if (type !== resourceType && !alsoAllowed.includes(type))
      throw invalid(`'${type}' is not a valid taggable resource type for this operation.`);
    if (seen.has(type)) throw invalid(`The resource type '${type}' is specified more than once.`);
    seen.add(type);
  }
  const own = specifications?.find((one) => one.ResourceType === resourceType);
  return checked(own?.Tags ?? []);
}

/** The tags as the SDK's outputs want them. */
export function tagSet(tags: readonly Tag[]): Tag[] {
  return tags.map((tag) => ({ ...tag }));
}

/** How a service words tags that cannot be. */
export interface TagRefusals {
  invalid(message: string): AwsError;
  tooMany(message: string): AwsError;
}

const EC2_REFUSALS: TagRefusals = {
  invalid,
  tooMany: (message) => new AwsError("TagLimitExceeded", message),
};

/** The tags, when they keep AWS's rules. */
export function checked(tags: readonly ec2.Tag[], refusals = EC2_REFUSALS): Tag[] {
  const keys = new Set<string>();
  const result = tags.map(({ Key = "", Value = "" }) => {
    checkKey(Key, refusals);
    if (Value.length > MAX_VALUE)
      throw refusals.invalid(`Tag value exceeds the maximum length of ${MAX_VALUE} characters`);
    if (keys.has(Key)) throw refusals.invalid(`Duplicate tag key '${Key}' specified.`);
    keys.add(Key);
    return { Key, Value };
  });
  if (result.length > MAX_TAGS) throw tooMany(refusals);
  return result;
}

function checkKey(key: string, { invalid: refused } = EC2_REFUSALS): void {
  if (key === "") throw refused("Tag key cannot be null or empty");
  if (key.length > MAX_KEY) throw refused(`Tag key exceeds the maximum length of ${MAX_KEY} characters`);
  if (key.toLowerCase().startsWith("aws:"))
    throw refused(
      `Value ( ${key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use`,
    );
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterValue", message);
}

function tooMany(refusals: TagRefusals): AwsError {
  return refusals.tooMany("The maximum number of Tags for a resource has been reached.");
}

/** The caller's side's tags of a peering; the requester's when the caller is both sides. */
export function peeringTags(call: Call, row: PeeringRow): readonly Tag[] {
  return isSide(call, row.requester) ? row.tags : row.accepterTags;
}

/** A thing that has tags, wherever they are kept. */
interface Bearer {
  readonly id: string;
  readonly resourceType: string;
  readonly tags: readonly Tag[];
  write(tags: readonly Tag[]): void;
}

/** Tags come into sight with what bears them. */
function bearers(call: Call): Bearer[] {
  return (Object.keys(NOUNS) as Prefix[]).flatMap((prefix) => {
    if (prefix === "pcx") return seen(call, peeringsOf(call)).map((row) => peeringBearer(call, row));
    const groups = prefix === "sg" ? seen(call, call.tables.securityGroups.list(call)) : [];
    return [...rowBearers(call, prefix), ...groups.flatMap((group) => ruleBearers(call, group))];
  });
}

function rowBearers(call: Call, prefix: Exclude<Prefix, "pcx">): Bearer[] {
  const { table: name, resourceType } = NOUNS[prefix];
  // Only what every row has is read and written back, so the noun's own type does not matter here.
  const table = call.tables[name] as unknown as Table<Row>;
  return seen(call, table.list(call)).map((row) => ({
    id: row.id,
    resourceType,
    tags: row.tags,
    write: (tags) => void table.put({ ...row, tags }),
  }));
}

function peeringBearer(call: Call, row: PeeringRow): Bearer {
  const mine = isSide(call, row.requester) ? "tags" : "accepterTags";
  return {
    id: row.id,
    resourceType: NOUNS.pcx.resourceType,
    tags: row[mine],
    write: (tags) => void call.tables.peerings.put({ ...row, [mine]: tags }),
  };
}

function ruleBearers(call: Call, group: SecurityGroupRow): Bearer[] {
  return group.rules.map((rule) => ({
    id: rule.id,
    resourceType: "security-group-rule",
    tags: rule.tags,
    write: (tags) => {
      // Read again: two rules of one group may be tagged by one call.
      const now = call.tables.securityGroups.get(group.id) ?? group;
      const rules = now.rules.map((one) => (one.id === rule.id ? { ...one, tags } : one));
      call.tables.securityGroups.put({ ...now, rules });
    },
  }));
}

/** The things with these ids; none is touched when one is missing. */
function theBearers(call: Call, ids: readonly string[]): Bearer[] {
  const byId = new Map(bearers(call).map((bearer) => [bearer.id, bearer]));
  return [...new Set(ids)].map((id) => byId.get(id) ?? missing(id));
}

function missing(id: string): never {
  const prefix = id.slice(0, id.indexOf("-"));
  if (Object.hasOwn(NOUNS, prefix)) throw notFound(prefix as Prefix, [id]);
  if (prefix === "sgr")
    throw new AwsError(
      "InvalidSecurityGroupRuleId.NotFound",
      `The security group rule ID '${id}' does not exist`,
    );
  throw new AwsError("InvalidID", `The ID '${id}' is not valid`);
}

/** Existing keys keep their place and take the new value. */
export function merged(old: readonly Tag[], added: readonly Tag[], refusals = EC2_REFUSALS): Tag[] {
  const values = new Map([...old, ...added].map((tag) => [tag.Key, tag.Value]));
  if (values.size > MAX_TAGS) throw tooMany(refusals);
  return [...values].map(([Key, Value]) => ({ Key, Value }));
}

/**
 * A key alone takes the tag away whatever its value, a key with a value (even an empty one) only that value.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html
 */
function without(old: readonly Tag[], gone: readonly ec2.Tag[] | undefined): Tag[] {
  if (!gone?.length) return [];
  return old.filter(
    (tag) => !gone.some((one) => one.Key === tag.Key && (one.Value === undefined || one.Value === tag.Value)),
  );
}

export const tagHandlers = {
  CreateTags(call, input) {
    const added = checked(input.Tags ?? []);
    const found = theBearers(call, input.Resources ?? []);
    for (const bearer of found) bearer.write(merged(bearer.tags, added));
    return {};
  },

  DeleteTags(call, input) {
    for (const { Key } of input.Tags ?? []) checkKey(Key ?? "");
    const found = theBearers(call, input.Resources ?? []);
    for (const bearer of found) bearer.write(without(bearer.tags, input.Tags));
    return {};
  },

  DescribeTags(call, input) {
    const all = bearers(call).flatMap((bearer) => bearer.tags.map((tag) => ({ bearer, tag })));
    const found = matching(all, input.Filters, {
      filters: {
        key: ({ tag }) => tag.Key,
        value: ({ tag }) => tag.Value,
        "resource-id": ({ bearer }) => bearer.id,
        "resource-type": ({ bearer }) => bearer.resourceType,
      },
      tags: ({ tag }) => [tag],
    });
    const { items, NextToken } = page(found, ({ bearer, tag }) => `${bearer.id}/${tag.Key}`, input);
    const Tags = items.map(({ bearer, tag }) => ({
      ...tag,
      ResourceId: bearer.id,
      ResourceType: bearer.resourceType as ec2.ResourceType,
    }));
    return { Tags, NextToken };
  },
} satisfies Ec2Handlers;
