/**
 * Topics of Kafka clusters by MSK's own API: no connection to a broker, no user of Kafka's is needed. A topic bears no
 * tag and is known by its name. Promises that one which is there already counts as made, that what Kafka cannot do at
 * the moment is a `conflict` (to be tried again), and that where AWS does not make topics at all, what to do instead is
 * said. https://docs.aws.amazon.com/msk/latest/developerguide/msk-topic-operations-information.html
 */
import {
  type Cluster,
  CreateTopicCommand,
  DescribeTopicCommand,
  type KafkaClient,
  UpdateTopicCommand,
} from "@aws-sdk/client-kafka";
import type { SeenTopic } from "../../domain/connector.ts";
import { Failure } from "../../domain/failure.ts";
import { CallError, notes, refusedWith } from "./callError.ts";
import { answeredId, type Hands } from "./hand.ts";

const KEY = "topic";
const GONE = new Set(["notfoundexception", "unknowntopicorpartitionexception"]);
const THERE = new Set(["topicexistsexception"]);
/** It may have been done all the same. */
const UNANSWERED = new Set(["kafkatimeoutexception"]);
/** A broker or the controller is away, or at work: nothing is wrong with the request. */
const NOT_NOW = new Set([
  "clusterconnectivityexception",
  "conflictexception",
  "controllermovedexception",
  "kafkarequestexception",
  "notcontrollerexception",
  "reassignmentinprogressexception",
  ...GONE,
]);

/** `arn:…:cluster/clicks/1b4e…-2` and `events` to `arn:…:topic/clicks/1b4e…-2/events`. */
function topicArn(clusterArn: string, name: string): string {
  return `${clusterArn.replace(":cluster/", ":topic/")}/${name}`;
}

/** Null for a topic that is not there. AWS tells of topics only while the cluster is ACTIVE. */
export async function readTopic(
  client: KafkaClient,
  { ClusterArn: clusterId = "", State }: Cluster,
  name: string,
): Promise<SeenTopic | null> {
  const known = { id: topicArn(clusterId, name), key: KEY, attempt: 0, name, clusterId };
  const unknown = { ...known, state: "unknown", refusal: null, partitions: 0, replicationFactor: 0 };
  if (State !== "ACTIVE") return unknown;
  try {
    const one = await client.send(new DescribeTopicCommand({ ClusterArn: clusterId, TopicName: name }));
    return {
      ...unknown,
      state: (one.Status ?? "").toLowerCase(),
      partitions: one.PartitionCount ?? 0,
      replicationFactor: one.ReplicationFactor ?? 0,
    };
  } catch (error) {
    if (refusedWith(error, GONE)) return null;
    if (!(error instanceof CallError) || error.trouble !== "refused") throw error;
    // Other networks of the cell are looked at all the same.
    return { ...unknown, refusal: error.code === "" ? error.message : `${error.code}: ${error.message}` };
  }
}

export const topicCreates: Hands<"createTopic"> = {
  async createTopic({ kafka }, { clusterArn, topic }) {
    const { name, partitions, replicationFactor } = topic;
    const request = { ClusterArn: clusterArn, TopicName: name };
    const size = { PartitionCount: partitions, ReplicationFactor: replicationFactor };
    try {
      const answer = await kafka.send(new CreateTopicCommand({ ...request, ...size }));
      return answeredId(answer.TopicArn, "CreateTopic");
    } catch (error) {
      // What it is like, the next look shows.
      if (refusedWith(error, THERE)) return topicArn(clusterArn, name);
      throw worded(error, "make", name);
    }
  },
};

export const topicChanges: Hands<"growTopic"> = {
  async growTopic({ kafka }, { clusterArn, name, partitions }) {
    const request = { ClusterArn: clusterArn, TopicName: name, PartitionCount: partitions };
    try {
      await kafka.send(new UpdateTopicCommand(request));
      return null;
    } catch (error) {
      // What is told of a topic is up to a minute old: it may have as many by now.
      throw refusedWith(error, REFUSED) ? later(error, "change", name) : worded(error, "change", name);
    }
  },
};

const REFUSED = new Set(["badrequestexception"]);

const BY_HAND =
  "The dataset works without it. Make it by Kafka's own means (kafka-topics.sh, or an admin client inside the VPC); " +
  "where AWS tells of topics it is then found by itself.";

/** The general table words what is not about topics. */
function worded(error: unknown, verb: string, name: string): unknown {
  if (!(error instanceof CallError) || error.trouble !== "refused") return error;
  if (FORBIDDEN.has(error.code))
    return new Failure("forbidden", `AWS does not let us ${verb} topics`, {
      hint: "The operator must allow the platform's role the rights of kafka-cluster that topics need: ReachTopics and TendTopics in docs/iam-policy.md.",
      ...notes(error),
    });
  if (NOT_NOW.has(error.code)) return later(error, verb, name);
  if (UNANSWERED.has(error.code))
    return new Failure("unavailable", `Kafka did not ${verb} ${name} in time: ${error.message}`, {
      hint: "Nothing to do: it is looked for, and tried again.",
      ...notes(error),
    });
  return new Failure("invalid", `AWS does not ${verb} ${name}: ${error.message}`, {
    hint: BY_HAND,
    ...notes(error),
  });
}

function later(error: CallError, verb: string, name: string): Failure {
  return new Failure("conflict", `Kafka cannot ${verb} ${name} now: ${error.message}`, {
    hint: "Nothing to do: it is tried again. Kafka needs the cluster's brokers for it.",
    ...notes(error),
  });
}

const FORBIDDEN = new Set(["forbiddenexception", "unauthorizedexception", "accessdeniedexception"]);
