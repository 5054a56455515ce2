/**
 * Tags of MSK's clusters after their creation.
 * https://docs.aws.amazon.com/msk/1.0/apireference/tags-resourcearn.html
 */
import type * as kafka from "@aws-sdk/client-kafka";
import { KAFKA_TAG_REFUSALS } from "./kafkaErrors.ts";
import { theCluster } from "./kafkaStates.ts";
import { mapFromTags, tagged, untagged } from "./tagMaps.ts";
import type { Handlers } from "./world.ts";

export const kafkaTagHandlers = {
  TagResource(call, input) {
    const row = theCluster(call, input.ResourceArn);
    call.tables.clusters.put(tagged(row, input.Tags, KAFKA_TAG_REFUSALS));
    return undefined;
  },

  UntagResource(call, input) {
    const row = theCluster(call, input.ResourceArn);
    call.tables.clusters.put(untagged(row, input.TagKeys));
    return undefined;
  },

  ListTagsForResource(call, input) {
    return { Tags: mapFromTags(theCluster(call, input.ResourceArn).tags) };
  },
} satisfies Handlers<typeof kafka>;
