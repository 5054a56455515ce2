/** Probes from inside a dataset's VPC: a new one, and one that was asked for before. */
import type { AnswerOf, BodyOf } from "../contract/operations.ts";
import { parseTarget } from "../contract/probes.ts";
import { Failure } from "../domain/failure.ts";
import { type Probe, type ProbeWish, speaksTls } from "../domain/probe.ts";
import type { Handlers } from "./call.ts";
import { iso, isoOrNull } from "./moments.ts";

type View = AnswerOf<"vpcs.viewProbe">;

export const probeHandlers: Handlers<"vpcs.probe" | "vpcs.viewProbe"> = {
  async "vpcs.probe"({ intent }, { actor, tenant, dataset, body }) {
    const place = { tenantId: tenant.id, name: dataset.name };
    return probeView(dataset.name, await intent.probe(actor, place, wishOf(body)));
  },

  async "vpcs.viewProbe"({ store }, { tenant, dataset, params }) {
    const probe = await store.tenant(tenant.id).probe(dataset.id, params.probeId);
    if (probe) return probeView(dataset.name, probe);
    throw new Failure("notFound", `There is no probe ${params.probeId} of ${dataset.name}`, {
      hint: `Ask for a new one: letsdata vpcs probe --datasetName ${dataset.name} --target HOST:PORT`,
    });
  },
};

function wishOf({ target, protocol, tls, ca, stageSeconds }: BodyOf<"vpcs.probe">): ProbeWish {
  const parsed = parseTarget(target);
  if ("problem" in parsed) throw new Failure("invalid", parsed.problem);
  if (protocol !== "kafka" && tls !== "auto")
    throw new Failure("invalid", `tls ${tls} goes with protocol kafka only`, {
      hint: "For a handshake alone: --protocol tls",
    });
  const isTls = tls === "auto" ? speaksTls(protocol, parsed.port) : tls === "on";
  if (ca !== undefined && !isTls)
    throw new Failure("invalid", "Authorities are given, and no TLS is spoken", {
      hint: "Take --protocol tls, or with kafka --tls on.",
    });
  return { ...parsed, protocol, tls: isTls, ca: ca ?? null, stageMs: stageSeconds * 1000 };
}

function probeView(datasetName: string, probe: Probe): View {
  const { wish, result } = probe;
  return {
    probeId: probe.id,
    datasetName,
    target: `${wish.host}:${wish.port}`,
    protocol: wish.protocol,
    tls: wish.tls,
    state: probe.state,
    statusReason: probe.note ?? (probe.state === "waiting" ? "waits for a process that probes" : null),
    verdict: result?.verdict ?? null,
    summary: result?.summary ?? null,
    nextStep: result?.nextStep ?? probe.hint,
    stages: (result?.stages ?? []).map((stage) => ({ ...stage })),
    addresses: [...(result?.addresses ?? [])],
    certificates: (result?.tls?.certificates ?? []).map((one) => ({ ...one })),
    kafka: kafkaView(result?.kafka ?? null),
    askedBy: probe.askedBy,
    askedDatetime: iso(probe.askedAt),
    startedDatetime: isoOrNull(probe.startedAt),
    endedDatetime: isoOrNull(probe.endedAt),
  };
}

function kafkaView(kafka: NonNullable<Probe["result"]>["kafka"]): View["kafka"] {
  return (
    kafka && {
      ...kafka,
      mechanisms: [...kafka.mechanisms],
      brokers: kafka.brokers.map((one) => ({ ...one })),
    }
  );
}
