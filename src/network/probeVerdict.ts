/**
 * What a probe's findings mean, with the world they were found in: one word, one sentence, and the next step. Pure.
 * Promises that a connection that stood is never called unreachable, whatever the route tables say, and that what
 * cannot be told apart from inside (filters, and a return route that is missing) is said to be so.
 *
 *   resolve ─▶ route ─▶ connect ─▶ tls ─▶ apiVersions ─▶ metadata
 *   noName     noRoute  refused    tlsFailure  notKafka   (says nothing against it)
 *                       filtered
 */
import type { Network } from "../domain/model.ts";
import type {
  FoundStage,
  FoundStageName,
  ProbeFindings,
  ProbeResult,
  ProbeStage,
  ProbeWish,
} from "../domain/probe.ts";
import type { World } from "../domain/world.ts";
import { type ProbeRoute, probeRoute } from "./probeRoute.ts";

export interface VerdictQuestion {
  readonly network: Pick<Network, "datasetName" | "cidr">;
  readonly wish: ProbeWish;
  readonly findings: ProbeFindings;
  readonly world: World;
}

export function probeVerdict(question: VerdictQuestion): ProbeResult {
  const { findings, network, world } = question;
  const address = findings.addresses[0];
  const route = address === undefined ? null : probeRoute({ network, world, address });
  const { addresses, tls, kafka } = findings;
  return { ...judged({ ...question, route }), stages: stagesOf(findings, route), addresses, tls, kafka };
}

type Judgement = Pick<ProbeResult, "verdict" | "summary" | "nextStep">;

interface Judging extends VerdictQuestion {
  readonly route: ProbeRoute | null;
}

function judged(judging: Judging): Judgement {
  const failed = judging.findings.stages.find(({ outcome }) => outcome === "failed");
  // Brokers need not say who they are to somebody without credentials.
  if (!failed || failed.stage === "metadata") return reachable(judging);
  return JUDGES[failed.stage](judging, failed);
}

const JUDGES: Readonly<Record<Exclude<FoundStageName, "metadata">, typeof noName>> = {
  resolve: noName,
  connect: notConnected,
  tls: tlsFailure,
  apiVersions: notKafka,
};

function target({ wish: { host, port } }: Judging): string {
  return `${host}:${port}`;
}

function reachable(judging: Judging): Judgement {
  const { wish, findings, route } = judging;
  const { kafka } = findings;
  const took = findings.stages.reduce((sum, { ms }) => sum + ms, 0);
  const spoken = wish.protocol === "kafka" ? "Kafka" : wish.protocol.toUpperCase();
  const wants = kafka && kafka.mechanisms.length > 0 ? `, and asks for ${kafka.mechanisms.join(" or ")}` : "";
  const against = route && !route.leads ? ", though the route tables show no way there at this moment" : "";
  return {
    verdict: "reachable",
    summary: `${target(judging)} is reachable from the VPC and speaks ${spoken}${wants} (${Math.round(took)} ms)${against}`,
    nextStep: null,
  };
}

/** What getaddrinfo says of a name that there is not; anything else is about who should know it. */
const NO_SUCH_NAME: ReadonlySet<string | null> = new Set(["ENOTFOUND", "ENODATA", "NXDOMAIN"]);

function noName(judging: Judging, { code, detail }: FoundStage): Judgement {
  const { host } = judging.wish;
  if (NO_SUCH_NAME.has(code))
    return {
      verdict: "noName",
      summary: `${host} has no IPv4 address: the VPC's resolver knows no such name`,
      nextStep:
        "Check the spelling. A name of a private hosted zone is known only in VPCs that the zone is associated with; " +
        "take the address, or a name that resolves publicly.",
    };
  return {
    verdict: "noName",
    summary: `${host} could not be resolved: ${detail} (${code})`,
    nextStep: "The resolver did not answer: try again, and see that the VPC's DNS support is on.",
  };
}

/** The machine itself knew no way, or was told of none. */
const UNREACHABLE: ReadonlySet<string | null> = new Set(["ENETUNREACH", "EHOSTUNREACH", "OWN_ADDRESS"]);
const REFUSED: ReadonlySet<string | null> = new Set(["ECONNREFUSED", "ECONNRESET"]);

function notConnected(judging: Judging, failed: FoundStage): Judgement {
  const { route } = judging;
  if (failed.code === "OWN_ADDRESS")
    return {
      verdict: "noRoute",
      summary: `${target(judging)}: ${failed.detail}`,
      nextStep: "Take the address that the target has in its own network.",
    };
  if (REFUSED.has(failed.code))
    return {
      verdict: "refused",
      summary: `${target(judging)} refuses: the host is there, and nothing listens on that port`,
      nextStep: "See that the service runs, and listens on that port and on all of its host's addresses.",
    };
  if (route && !route.leads)
    return {
      verdict: "noRoute",
      summary: `${target(judging)} has no route: ${route.detail}`,
      nextStep: route.nextStep,
    };
  if (UNREACHABLE.has(failed.code))
    return {
      verdict: "noRoute",
      summary: `${target(judging)} has no route: ${failed.detail} (${failed.code})`,
      nextStep: "The address is not in use, or a router on the way knows none: check the address.",
    };
  return filtered(judging, failed);
}

function filtered(judging: Judging, { ms }: FoundStage): Judgement {
  const { network, route } = judging;
  return {
    verdict: "filtered",
    summary: `${target(judging)} does not answer: what was sent there was dropped on the way (${Math.round(ms)} ms)`,
    nextStep: route?.by === "peering" ? peerStep(network, route.targetId) : FILTER_STEP[route?.by ?? "other"],
  };
}

/** From inside, a return route that is missing looks like a filter. */
function peerStep({ cidr }: Pick<Network, "cidr">, connectionId: string | null): string {
  return (
    `On the other side of ${connectionId}: let TCP from ${cidr} into the target's security group and its subnet's ` +
    `network ACL, and route ${cidr} to ${connectionId} in the target's subnet: a missing return route looks just the same.`
  );
}

const FILTER_STEP: Readonly<Record<Exclude<ProbeRoute["by"], "peering">, string>> = {
  local:
    "Inside the VPC group `cluster` and the default ACL let TCP pass: the host is down, or has another group.",
  natGateway:
    "Its firewall lets nothing in from the NAT gateways' public addresses, or the host is down: see letsdata vpcs list.",
  other: "Look at the security groups and network ACLs on the way, and at the route back.",
  nothing: "Look at the security groups and network ACLs on the way, and at the route back.",
};

/** OpenSSL's and Node's words: https://docs.openssl.org/master/man1/openssl-verification-options/ */
const DISTRUST: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "comes from an authority that is not trusted",
  UNABLE_TO_GET_ISSUER_CERT: "comes from an authority that is not known",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "comes from an authority that is not known",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "comes without the certificate of its authority, which is not known",
  CERT_HAS_EXPIRED: "has expired",
  CERT_NOT_YET_VALID: "is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "is for another name",
};
const OWN_AUTHORITY =
  "If the authority is your own, give it: --caFile FILE (of the sandbox: letsdata sandbox ca > ca.pem).";

function tlsFailure(judging: Judging, { code, detail }: FoundStage): Judgement {
  const { tls } = judging.findings;
  const [own] = tls?.certificates ?? [];
  if (!tls?.error || !own)
    return {
      verdict: "tlsFailure",
      summary: `${target(judging)} answers, and not in TLS: ${detail} (${code})`,
      nextStep:
        judging.wish.protocol === "kafka"
          ? "If the listener is plaintext: --tls off"
          : "Check the port: does this service speak TLS there?",
    };
  const about = `${own.subject}${own.names ? ` (${own.names})` : ""}, from ${own.issuer}, valid to ${own.validTo}`;
  const isOfName = tls.error === "ERR_TLS_CERT_ALTNAME_INVALID";
  const isOfTime = tls.error.startsWith("CERT_");
  return {
    verdict: "tlsFailure",
    summary: `${target(judging)} speaks TLS, and its certificate ${DISTRUST[tls.error] ?? `is not trusted (${tls.error})`}: ${about}`,
    nextStep: isOfName
      ? "Connect by a name that the certificate is for."
      : isOfTime
        ? "The service needs a new certificate; or a clock is wrong."
        : OWN_AUTHORITY,
  };
}

function notKafka(judging: Judging, { code, detail }: FoundStage): Judgement {
  const { wish } = judging;
  const isSilent = code === "CLOSED" || code === "TIMEOUT" || code === "ECONNRESET";
  const isTls = detail === "it answers in TLS";
  const tlsStep = "If the listener wants TLS: --tls on";
  return {
    verdict: "notKafka",
    summary: `${target(judging)} can be connected to, and does not speak Kafka: ${detail}`,
    nextStep: !wish.tls && (isSilent || isTls) ? tlsStep : "Check the port: is this a broker's listener?",
  };
}

/** With the route between name and connection. */
function stagesOf({ stages, kafka }: ProbeFindings, route: ProbeRoute | null): readonly ProbeStage[] {
  const found = stages.map(({ stage, outcome, ms, detail, code }): ProbeStage => {
    const wants = kafka !== null && kafka.mechanisms.length > 0;
    const isUntold = stage === "metadata" && (wants || outcome === "failed");
    const why = code === null || detail.includes(code) ? detail : `${detail} (${code})`;
    return { stage, outcome: isUntold ? "skipped" : outcome, ms, detail: why };
  });
  if (!route) return found;
  const outcome = route.leads ? "ok" : "failed";
  const [resolve, ...rest] = found;
  const own: ProbeStage = { stage: "route", outcome, ms: null, detail: route.detail };
  return resolve ? [resolve, own, ...rest] : [own];
}
