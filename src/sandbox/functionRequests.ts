/**
 * The sandbox's own requests that have to do with functions: which there are, where each runs and what of it runs,
 * and what one has in its log. A name that several accounts or regions have means none: its ARN does.
 */
import type { Cloud } from "./cloud.ts";
import { MACHINE } from "./functions/places.ts";
import type { Runner } from "./functions/runner.ts";
import type { AdminAnswer, AdminRequest } from "./ownRequests.ts";
import type { FunctionRow } from "./serviceRows.ts";

/** undefined when it is no request of this kind. */
export function functionRequest(
  { cloud, functions }: { readonly cloud: Cloud; readonly functions: Runner },
  { method, path }: AdminRequest,
): AdminAnswer | undefined {
  if (method !== "GET") return undefined;
  const rows = cloud.tables.functions.all();
  if (path === "functions")
    return { status: 200, value: { functions: rows.map((row) => shown(row, functions)) } };
  const name = /^functions\/([^/]+)\/log$/.exec(path)?.[1];
  if (name === undefined) return undefined;
  const named = rows.filter((row) => row.id === name || row.name === name);
  const [one] = named;
  if (!one) return refused(404, `there is no function "${name}"; GET functions lists them`);
  if (named.length > 1)
    return refused(409, `"${name}" is several functions: name ${named.map(({ id }) => id).join(" or ")}`);
  return { status: 200, value: { lines: functions.log(one.id) } };
}

function shown({ id: arn, name, account, region, vpc }: FunctionRow, functions: Runner): object {
  const places = functions.placesOf(arn);
  const isBeside = places.includes(MACHINE);
  const network = isBeside
    ? "this machine's: the sandbox carries no packets"
    : vpc
      ? "its VPC's"
      : "internet";
  return { name, arn, account, region, network, places, environments: functions.environments(arn) };
}

function refused(status: number, message: string): AdminAnswer {
  return { status, value: { message } };
}
