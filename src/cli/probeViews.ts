/** How a person reads a probe: its stages with their times, who the other side says it is, and the verdict. */
import type { Lister } from "./forecastViews.ts";
import { cellAt } from "./render.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A verdict that is no success is told as the command's error, unless it is shown for a second time. */
export async function probeParts(
  answer: Fields,
  list: Lister,
  verdict?: "with its verdict",
): Promise<string[]> {
  const stages = fieldsAt(answer.stages);
  const certificates = fieldsAt(answer.certificates);
  const kafka = answer.kafka as Fields | null;
  const brokers = fieldsAt(kafka?.brokers);
  const parts: string[] = [];
  if (stages.length > 0) parts.push(await list(stages, ["stage", "outcome", "detail", "ms"]));
  if (certificates.length > 0)
    parts.push(await list(certificates, ["subject", "issuer", "names", "validFrom", "validTo"]));
  if (brokers.length > 0) parts.push(await list(brokers, ["id", "host", "port"]));
  if (kafka)
    parts.push(`Kafka: reads by versions ${cellAt(kafka, "fetchVersions")}${authentication(kafka)}\n`);
  if (verdict || answer.verdict === "reachable") parts.push(...told(answer));
  return parts;
}

function fieldsAt(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value : [];
}

function authentication({ mechanisms }: Fields): string {
  const wanted = Array.isArray(mechanisms) ? mechanisms.map(String) : [];
  return wanted.length > 0 ? `; clients authenticate by ${wanted.join(" or ")}` : "; no authentication";
}

function told({ summary, nextStep }: Fields): string[] {
  if (typeof summary !== "string") return [];
  return [typeof nextStep === "string" ? `${summary}\nNext: ${nextStep}\n` : `${summary}\n`];
}
