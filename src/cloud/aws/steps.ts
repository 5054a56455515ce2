/**
 * Takes one step: finds its function and says what AWS's refusal means for it. Promises that only a `Failure`
 * comes out, and that a parent which AWS does not show yet is not called gone: a thing just made may be
 * unknown to the next call for a while. Of a create, `unavailable` says exactly that nobody knows whether the
 * thing was made, so that only such an attempt has to be waited for; what was surely not made (throttled, not
 * sent, its parent not shown yet) is `conflict`: look again, and try.
 * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
import { Failure } from "../../domain/failure.ts";
import type { Step } from "../../domain/steps.ts";
import { CallError, notes, refusedWith } from "./callError.ts";
import { changes } from "./changes.ts";
import { creates } from "./creates.ts";
import { deletes } from "./deletes.ts";
import { failureOf } from "./errors.ts";
import type { Hand, Hands } from "./hand.ts";

const hands: Hands<Step["do"]> = { ...creates, ...changes, ...deletes };

export async function take(hand: Hand): Promise<string | null> {
  const { step } = hand.call;
  // The table's type pairs each function with its own step; a lookup by union cannot say so.
  const act = hands[step.do] as (hand: Hand, step: Step) => Promise<string | null>;
  try {
    return await act(hand, step);
  } catch (error) {
    const failure = meaning(error, step);
    throw step.do in creates ? certain(error, failure) : failure;
  }
}

/** Codes that name something the step builds on, in all their spellings. */
const PARENT_MISSING = new Set([
  "invalidvpcid.notfound",
  "invalidsubnetid.notfound",
  "invalidinternetgatewayid.notfound",
  "invalidgatewayid.notfound",
  "invalidallocationid.notfound",
  "invalidnatgatewayid.notfound",
  "natgatewaynotfound",
  "invalidroutetableid.notfound",
  "invalidgroup.notfound",
  "invalidsecuritygroupid.notfound",
  "invalidvpcendpointid.notfound",
  "invalidvpcendpoint.notfound",
  "invalidnetworkaclid.notfound",
]);

/** AWS's general refusal, which for these steps is about the state of things, not about our request. */
const STATE_IN_DISGUISE: ReadonlySet<Step["do"]> = new Set([
  "attachInternetGateway",
  "replaceRoute",
  "deleteRoute",
  "replaceAssociation",
]);
const GENERAL_REFUSAL = new Set(["invalidparametervalue"]);

/** For a create: the failure with a code that keeps "not made" apart from "nobody knows". */
function certain(error: unknown, failure: Failure): Failure {
  const open = !(error instanceof CallError) || error.trouble === "unanswered";
  if (failure.code !== "unavailable" || open) return failure;
  const { message, hint, detail } = failure;
  return new Failure("conflict", message, {
    ...(hint !== undefined && { hint }),
    ...(detail !== undefined && { detail }),
    cause: error,
  });
}

function meaning(error: unknown, step: Step): Failure {
  if (!(step.do in deletes) && refusedWith(error, PARENT_MISSING))
    return new Failure("unavailable", `AWS does not show what ${step.key} needs yet: ${error.message}`, {
      hint: "Nothing to do: what AWS has just made can take a while to show.",
      ...notes(error),
    });
  if (STATE_IN_DISGUISE.has(step.do) && refusedWith(error, GENERAL_REFUSAL))
    return new Failure("conflict", `AWS cannot do this to ${step.key} now: ${error.message}`, notes(error));
  return failureOf(error);
}
