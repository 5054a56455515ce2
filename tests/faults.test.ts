/**
 * Every operation that we call of AWS, answered wrongly: too many requests, an error of AWS's own, a connection
 * that is cut before or after the work was done, "not found" for what was just made, a quota used up; once and
 * twenty times in a row. The work comes to its end all the same, or it is said what blocks it and goes on when
 * that is over; nothing is ever there twice, and nothing is left. `FULL=1` plays each case alone.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { QUOTA_ERRORS } from "../src/sandbox/faultSpecs.ts";
import { ROOT } from "./sources.ts";
import { ACTS, actOf, type Fault, Story, type StoryAct, type Told } from "./support/faultStory.ts";

const FULL = process.env.FULL === "1";

const KINDS = ["throttle", "error", "dropBefore", "dropAfter", "notFound", "quota"] as const;
const COUNTS = [1, 20] as const;

/** Operations of the hands that no plan of the product asks for at present, with the reason. */
const NOT_IN_THE_STORY: Readonly<Record<string, string>> = {
  GetAWSDefaultServiceQuota: "only where an account has no value of its own",
};

/** As the hands name them: the SDK's command and paginator classes. */
function operationsOfTheHands(): string[] {
  const folder = path.join(ROOT, "src/cloud/aws");
  const files = readdirSync(folder).filter((file) => !/\.?test(ing)?\.ts$/.test(file));
  const code = files.map((file) => readFileSync(path.join(folder, file), "utf8")).join("\n");
  const names = [...code.matchAll(/new ([A-Z]\w+)Command\(|\bpaginate([A-Z]\w+)\(/g)];
  return [...new Set(names.map(([, command, paginator]) => command ?? paginator ?? ""))].sort();
}

const OPERATIONS = operationsOfTheHands().filter((name) => !Object.hasOwn(NOT_IN_THE_STORY, name));

/** What has to be played for the operation to be called. */
function actsFor(operation: string): readonly StoryAct[] {
  const act = actOf(operation);
  if (act === "repair") return ["create", "repair"];
  const withPeer = act === "peer" || /Peering|^DescribeVpcAttribute$/.test(operation);
  return withPeer ? ["create", "peer"] : ["create"];
}

/** MSK has no code of its own for a quota that is used up: it calls the request a bad one. */
function canBe({ operation, kind }: Pick<Fault, "operation" | "kind">): boolean {
  const code = Object.hasOwn(QUOTA_ERRORS, operation) ? QUOTA_ERRORS[operation] : undefined;
  return kind !== "quota" || (code !== undefined && code !== "BadRequestException");
}

/** A quota blocks, and says which it is; everything else passes unsaid. */
function assertTold(told: Told, { operation, kind, count }: Fault): void {
  // A function is the operator's, and a topic may have been deleted: that it is not there is for them to read.
  if (kind === "notFound" && /^(GetFunctionConfiguration|DescribeTopic)$/.test(operation)) return;
  const blocked = [...told.blocked];
  if (kind !== "quota" || told.struck === 0) {
    assert.deepEqual(blocked, []);
    assert.ok(!told.statuses.has("ERROR"));
    return;
  }
  assert.ok(blocked.length > 0, "it was not said that a quota is used up");
  for (const line of blocked)
    assert.match(line, /^[a-z]\S+: The AWS quota ".+" \(L-[0-9A-F]{8}\) is used up/);
  const isCreation = actOf(operation) === "create" && operation !== "CreateVpcEndpoint";
  if (count > 1 && isCreation) assert.ok(told.statuses.has("ERROR"), "the dataset was never in ERROR");
}

let story: Story;
before(async () => {
  story = await Story.open();
});
after(() => story.close());

async function reopen(): Promise<void> {
  await story.close();
  story = await Story.open();
}

/** Asked once in a control plane's life, or once in a while. */
const ASKED_ONCE = /^GetCallerIdentity$|Quotas?$/;

test("the story calls every operation of the hands", async () => {
  await story.play(ACTS, []);
  const called = await story.operations();
  assert.deepEqual(
    OPERATIONS.filter((operation) => !called.has(operation)),
    [],
  );
});

describe("all operations at once", () => {
  for (const kind of ["throttle", "dropAfter"] as const)
    for (const part of [0, 1])
      test(`${kind} once, each second operation from number ${part}`, async (t) => {
        const faults = OPERATIONS.filter((_, index) => index % 2 === part).map((operation) => ({
          operation,
          kind,
          count: 1,
        }));
        await reopen();
        const told = await story.play(ACTS, faults);
        for (const fault of faults) assertTold(told, fault);
        t.diagnostic(`${told.struck} of ${faults.length} struck`);
        assert.equal(told.struck, faults.length);
      });
});

for (const kind of KINDS)
  describe(`${kind}, each operation alone`, { skip: FULL ? false : "only with FULL=1" }, () => {
    for (const count of COUNTS)
      for (const operation of OPERATIONS.filter((name) => canBe({ operation: name, kind })))
        test(`${operation}, ${count} times`, async (t) => {
          const fault = { operation, kind, count };
          try {
            if (ASKED_ONCE.test(operation)) await reopen();
            const told = await story.play(actsFor(operation), [fault]);
            if (kind === "notFound" && told.struck === 0) t.diagnostic("it names no id");
            else assert.ok(told.struck > 0, "it never struck");
            assertTold(told, fault);
          } catch (error) {
            await reopen();
            throw error;
          }
        });
  });
