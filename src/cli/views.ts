/**
 * What a person sees of an answer: its table, and for some operations more: conditions of a dataset, subnets of a
 * VPC, the guide to peering as commands to copy. Everything here goes to people; programs read the JSON.
 */
import type { Operation, OperationId } from "../contract/operations.ts";
import { connectorParts } from "./connectorViews.ts";
import { elapsed } from "./durations.ts";
import { costs, deleteSteps, dryRun, findings, type Lister } from "./forecastViews.ts";
import { probeParts } from "./probeViews.ts";
import { bold, cellAt, table } from "./render.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface View {
  readonly id: OperationId;
  readonly operation: Operation;
  readonly input: Fields;
  readonly answer: Fields;
  readonly columns?: number | undefined;
  readonly colour: boolean;
}

/** The answer as text for a terminal. */
export async function shown(view: View): Promise<string> {
  if (isDryRun(view)) return (await dryRun(view.answer, listerOf(view))).join("\n");
  const items = itemsOf(view.answer);
  const head = view.operation.command.columns;
  const indent = indentation(items);
  const rows = items.map((item) =>
    head.map((path) => `${path === "cidrBlock" ? indent(item) : ""}${cellOf(item, path)}`),
  );
  const parts = [items.length === 0 ? "Nothing to show.\n" : await section(view, { head, rows })];
  parts.push(...(await (MORE[view.id]?.(view) ?? [])));
  return parts.join("\n");
}

/** A moment to come, with how long it is until then. */
function cellOf(item: Fields, path: string): string {
  const text = cellAt(item, path);
  const { expiresInSeconds: left } = item;
  return path === "expirationTime" && typeof left === "number" ? `${text} (${elapsed(left * 1000)})` : text;
}

/** It answers something else than the operation's own table. */
export function isDryRun({ operation, input }: Pick<View, "operation" | "input">): boolean {
  return operation.dryRun !== undefined && input.dryRun === true;
}

/** A list's items; anything else is one item. */
export function itemsOf(answer: Fields): Fields[] {
  return Array.isArray(answer.items) ? answer.items : [answer];
}

function section(view: View, data: { head: readonly string[]; rows: string[][] }): Promise<string> {
  return table({ ...data, columns: view.columns, colour: view.colour });
}

/** The address plan is a tree: a block stands under the one it lies in. */
function indentation(items: readonly Fields[]): (item: Fields) => string {
  const depths = items.map(({ depth }) => (typeof depth === "number" ? depth : 0));
  const least = Math.min(...depths);
  return ({ depth }) => (typeof depth === "number" ? "  ".repeat(depth - least) : "");
}

const MORE: Partial<Record<OperationId, (view: View) => Promise<string[]>>> = {
  "datasets.view": datasetDetails,
  "datasets.create": blockedOnly,
  "writeConnectors.view": connectorDetails,
  "writeConnectors.update": connectorDetails,
  "vpcs.list": vpcDetails,
  "vpcs.probe": (view) => probeParts(view.answer, listerOf(view)),
  "vpcs.viewProbe": (view) => probeParts(view.answer, listerOf(view), "with its verdict"),
  "vpcPeeringConnections.list": nextSteps,
  "vpcPeeringConnections.accept": nextSteps,
  "vpcPeeringConnections.delete": nextSteps,
  "sweep.run": (view) => findings(view.answer, listerOf(view)),
  "sweep.view": (view) => findings(view.answer, listerOf(view)),
};

/** While it is deleted, the plan of that says everything the conditions do, in order. */
async function datasetDetails(view: View): Promise<string[]> {
  const list = listerOf(view);
  const steps = await deleteSteps(view.answer, list);
  return [...(steps ?? (await conditions(view))), ...(await costs(view.answer, list))];
}

function listerOf(view: View): Lister {
  return (items, columns) => listed(view, items, columns);
}

/** What somebody waits for comes first, and below the table what to do about it. */
async function conditions(view: View): Promise<string[]> {
  const all = conditionsOf(view);
  return told(
    view,
    ORDER.flatMap((state) => all.filter((condition) => condition.state === state)),
  );
}

/** Of the network only what is not as it should be: `datasets view` has all of it. */
async function connectorDetails(view: View): Promise<string[]> {
  const list = listerOf(view);
  const steps = await deleteSteps(view.answer, list);
  const telling = conditionsOf(view).filter(
    ({ state, resource }) => state !== "ready" || /^(cluster$|function\/)/.test(String(resource)),
  );
  // Names of clusters and functions are long, and stand below.
  const columns = COLUMNS.filter((column) => column !== "id");
  return [...(steps ?? (await told(view, telling, columns))), ...(await connectorParts(view.answer, list))];
}

async function blockedOnly(view: View): Promise<string[]> {
  return told(
    view,
    conditionsOf(view).filter(({ state }) => state === "blocked"),
  );
}

const ORDER = ["blocked", "waiting", "deleting", "ready"];

function conditionsOf({ answer }: View): Fields[] {
  return Array.isArray(answer.conditions) ? answer.conditions : [];
}

const COLUMNS = ["resource", "id", "state", "whoseMove", "message"];

async function told(
  view: View,
  conditions: readonly Fields[],
  columns: readonly string[] = COLUMNS,
): Promise<string[]> {
  if (conditions.length === 0) return [];
  const hints = conditions
    .filter(({ hint }) => typeof hint === "string")
    .map((condition) => `${cellAt(condition, "resource")}: ${cellAt(condition, "hint")}\n`);
  return [await listed(view, conditions.map(atRest), columns), ...hints];
}

/** Of what is ready on our side nobody has to move. */
function atRest(condition: Fields): Fields {
  const { state, whoseMove } = condition;
  return state === "ready" && whoseMove === "letsdata" ? { ...condition, whoseMove: null } : condition;
}

/** A column in which nobody has anything is left out. */
function listed(view: View, items: readonly unknown[], columns: readonly string[]): Promise<string> {
  const head = columns.filter((path) => items.some((item) => cellAt(item, path) !== "-"));
  return section(view, { head, rows: items.map((item) => head.map((path) => cellAt(item, path))) });
}

/** Subnets and gateways when one dataset was asked for; the guide whenever it is in the answer. */
async function vpcDetails(view: View): Promise<string[]> {
  const parts: string[] = [];
  for (const vpc of itemsOf(view.answer)) {
    if (view.input.datasetName !== undefined) parts.push(...(await insides(view, vpc)));
    parts.push(...guide(view, vpc));
  }
  return parts;
}

async function insides(view: View, vpc: Fields): Promise<string[]> {
  const subnets = Array.isArray(vpc.subnets) ? vpc.subnets : [];
  const gateways = Array.isArray(vpc.natGateways) ? vpc.natGateways : [];
  const parts: string[] = [];
  if (subnets.length > 0)
    parts.push(
      await listed(view, subnets, [
        "subnetId",
        "type",
        "availabilityZone",
        "availabilityZoneId",
        "cidrBlock",
        "availableIpAddressCount",
      ]),
    );
  if (gateways.length > 0)
    parts.push(await listed(view, gateways, ["natGatewayId", "state", "subnetId", "publicIp"]));
  return parts;
}

/** What to do about each connection, as a command to copy; with the reason where the table has none. */
async function nextSteps({ answer, operation }: View): Promise<string[]> {
  const hasReason = operation.command.columns.includes("statusReason");
  return itemsOf(answer)
    .filter(({ nextStep }) => typeof nextStep === "string")
    .map((item) => {
      const id = cellAt(item, "vpcPeeringConnectionId");
      const heading = hasReason ? `Next for ${id}` : `${id}: ${cellAt(item, "statusReason")}`;
      return `# ${heading}\n${cellAt(item, "nextStep")}\n`;
    });
}

const GUIDE_STEPS = [
  ["credentials", "Be your account: in the sandbox its number is the access key, and every secret is test"],
  ["request", "Request the VPC peering connection, in your account"],
  ["accept", "Accept it on behalf of #LetsData"],
  ["route", "Route to the dataset's range, in your account"],
  ["securityGroup", "Let your hosts out to the dataset's range"],
  ["dnsHostnames", "Turn on DNS hostnames, for private DNS answers over the peering"],
  ["dns", "Only if the dataset has to reach your hosts by their public names"],
  ["undo", "Take all of it back"],
] as const;

/** Headings are shell comments, so a block can be pasted whole. */
function guide(view: View, vpc: Fields): string[] {
  const steps = vpc.peeringGuide as Fields | undefined;
  if (!steps) return [];
  const several = itemsOf(view.answer).length > 1;
  return GUIDE_STEPS.filter(([key]) => steps[key]).map(([key, title], index) => {
    const commands = [steps[key]].flat().map(String).join("\n");
    const whose = several ? `${vpc.datasetName}: ` : "";
    const heading = `# ${whose}${index + 1}. ${title}`;
    return `${view.colour ? bold(heading) : heading}\n${commands}\n`;
  });
}

/** What else is to know, for standard error. */
export function notesOf({ id, answer }: Pick<View, "id" | "answer">): string[] {
  const notes = Array.isArray(answer.notes) ? answer.notes.map(String) : [];
  if (typeof answer.nextCursor === "string")
    notes.push(`There is more: add --all, or --cursor ${answer.nextCursor} for the next page.`);
  if (id === "keys.create") notes.push("The key is shown this once: keep it now.");
  return notes;
}
