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

const OF_PROBES = "only where somebody probes: probeFaults.test.ts";

/** Operations of the hands that this story does not call, with the reason. */
const NOT_IN_THE_STORY: Readonly<Record<string, string>> = {
  CreateFunction: OF_PROBES,
  DeleteFunction: OF_PROBES,
  GetFunction: OF_PROBES,
  Invoke: OF_PROBES,
  UpdateFunctionCode: OF_PROBES,
  ListFunctions: "only a sweep asks for it, and it is repeated as a whole: sweep.test.ts",
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

/** What has to be played for the fault to strike. */
function actsFor(fault: Fault): readonly StoryAct[] {
  const act = actOf(fault);
  if (act === "rebuild") return ["leave", "rebuild"];
  if (act !== "create" && act !== "delete") return [act];
  return /^DescribeVpcAttribute$|Peering/.test(fault.operation) ? ["peer"] : [];
}

/** Blocked until the operator decides, in the act that has a cluster lost. */
const LOST = /^cluster: (was deleted outside of letsdata|AWS could not make it)/;

/** A quota blocks, and says which it is; everything else passes unsaid. */
function assertTold(told: Told, fault: Fault): void {
  const { operation, kind, count } = fault;
  // A function is the operator's, and a topic may have been deleted: that it is not there is for them to read.
  if (kind === "notFound" && /^(GetFunctionConfiguration|DescribeTopic)$/.test(operation)) return;
  const blocked = [...told.blocked].filter((line) => !LOST.test(line));
  const isQuiet = blocked.length === told.blocked.size;
  if (kind !== "quota" || told.struck === 0) {
    assert.deepEqual(blocked, []);
    assert.ok(!isQuiet || !told.statuses.has("ERROR"));
    return;
  }
  assert.ok(blocked.length > 0, "it was not said that a quota is used up");
  for (const line of blocked) assert.match(line, quotaTold(operation));
  const isCreation = actOf(fault) === "create" && operation !== "CreateVpcEndpoint";
  if (count > 1 && isCreation) assert.ok(told.statuses.has("ERROR"), "the dataset was never in ERROR");
}

/** MSK has no code of its own for a quota that is used up: it calls the request a bad one, in words of its own. */
function quotaTold(operation: string): RegExp {
  return QUOTA_ERRORS[operation] === "BadRequestException"
    ? /^cluster: AWS refused kafka:CreateClusterV2: ./
    : /^[a-z]\S+: The AWS quota ".+" \(L-[0-9A-F]{8}\) is used up/;
}

function canBe({ operation, kind }: Fault): boolean {
  return kind !== "quota" || Object.hasOwn(QUOTA_ERRORS, operation);
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

/** Operations of a connector that is lost and replaced, deleted and built again, where they are called a second time. */
const AGAIN: Partial<Record<StoryAct, readonly string[]>> = {
  repair: ["UpdateFunctionConfiguration", "GetFunctionConfiguration"],
  replace: [
    "DeleteCluster",
    "CreateClusterV2",
    "ListClustersV2",
    "ListNodes",
    "GetBootstrapBrokers",
    "GetCompatibleKafkaVersions",
  ],
  leave: ["GetFunctionConfiguration", "UpdateFunctionConfiguration", "DeleteCluster", "DeleteVpc"],
  rebuild: ["CreateVpc", "CreateClusterV2", "UpdateFunctionConfiguration"],
};

interface Place {
  readonly operation: string;
  readonly act?: StoryAct;
}

const PLACES: readonly Place[] = [
  ...OPERATIONS.map((operation) => ({ operation })),
  ...Object.entries(AGAIN).flatMap(([act, operations]) =>
    operations.map((operation) => ({ operation, act: act as StoryAct })),
  ),
];

describe("all operations at once", () => {
  for (const kind of ["throttle", "dropAfter"] as const)
    for (const part of [0, 1])
      test(`${kind} once, each second operation from number ${part}`, async (t) => {
        const faults = PLACES.filter((_, index) => index % 2 === part).map(
          (place): Fault => ({
            ...place,
            kind,
            count: 1,
          }),
        );
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
      for (const fault of PLACES.map((place): Fault => ({ ...place, kind, count })).filter(canBe))
        test(`${fault.operation}${fault.act ? ` in ${fault.act}` : ""}, ${count} times`, async (t) => {
          try {
            if (ASKED_ONCE.test(fault.operation)) await reopen();
            const told = await story.play(actsFor(fault), [fault]);
            if (kind === "notFound" && told.struck === 0) t.diagnostic("it names no id");
            else assert.ok(told.struck > 0, "it never struck");
            assertTold(told, fault);
          } catch (error) {
            await reopen();
            throw error;
          }
        });
  });
