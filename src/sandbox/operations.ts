/**
 * The services of the small cloud by their names in a signature's scope, and what each answers to. An
 * operation that is not here is, to its callers, not one of AWS's: `InvalidAction`.
 */
import * as ec2 from "@aws-sdk/client-ec2";
import * as kafka from "@aws-sdk/client-kafka";
import * as lambda from "@aws-sdk/client-lambda";
import * as secrets from "@aws-sdk/client-secrets-manager";
import * as quotas from "@aws-sdk/client-service-quotas";
import * as sts from "@aws-sdk/client-sts";
import { addressHandlers } from "./addresses.ts";
import { classicLinkHandlers } from "./classicLink.ts";
import { awsQuery, ec2Query, type Protocol } from "./codec.ts";
import { consoleHandlers } from "./consoleOutput.ts";
import { endpointHandlers } from "./endpoints.ts";
import { AwsError, internalError, type ServiceErrors } from "./errors.ts";
import { instanceHandlers } from "./instances.ts";
import { interfaceHandlers } from "./interfaces.ts";
import { internetGatewayHandlers } from "./internetGateways.ts";
import { awsJson } from "./jsonCodec.ts";
import { kafkaClusterHandlers } from "./kafkaClusters.ts";
import { KAFKA_ERRORS, KAFKA_REFUSALS } from "./kafkaErrors.ts";
import { kafkaNodeHandlers } from "./kafkaNodes.ts";
import { kafkaOperationHandlers } from "./kafkaOperations.ts";
import { kafkaSecretHandlers } from "./kafkaSecrets.ts";
import { kafkaTagHandlers } from "./kafkaTags.ts";
import { kafkaTopicHandlers } from "./kafkaTopics.ts";
import { kafkaUpdateHandlers } from "./kafkaUpdates.ts";
import { LAMBDA_ERRORS, LAMBDA_REFUSALS } from "./lambdaErrors.ts";
import { lambdaFunctionHandlers } from "./lambdaFunctions.ts";
import { lambdaInvokeHandlers } from "./lambdaInvoke.ts";
import { lambdaTagHandlers } from "./lambdaTags.ts";
import { natGatewayHandlers } from "./natGateways.ts";
import { networkAclHandlers } from "./networkAcls.ts";
import { peeringHandlers } from "./peerings.ts";
import { placeHandlers } from "./places.ts";
import { restJson } from "./restJsonCodec.ts";
import { routeTableHandlers } from "./routeTables.ts";
import { secretHandlers } from "./secrets.ts";
import { securityGroupHandlers } from "./securityGroups.ts";
import { serviceQuotaHandlers } from "./serviceQuotas.ts";
import { stsHandlers } from "./sts.ts";
import { subnetHandlers } from "./subnets.ts";
import { tagHandlers } from "./tags.ts";
import { vpcBlockHandlers } from "./vpcBlocks.ts";
import { vpcHandlers } from "./vpcs.ts";
import type { Call, Ec2Handlers, Handlers, Later } from "./world.ts";

/** An operation as the server runs it: the codec has made the input what the handler's type says. */
export type Handler = (call: Call, input: object) => object | undefined | Later<object>;

export interface Service {
  readonly protocol: Protocol;
  readonly handlers: Readonly<Record<string, Handler | undefined>>;
  readonly errors: ServiceErrors;
}

const ec2Handlers = {
  ...addressHandlers,
  ...classicLinkHandlers,
  ...consoleHandlers,
  ...endpointHandlers,
  ...instanceHandlers,
  ...interfaceHandlers,
  ...internetGatewayHandlers,
  ...natGatewayHandlers,
  ...networkAclHandlers,
  ...peeringHandlers,
  ...placeHandlers,
  ...routeTableHandlers,
  ...securityGroupHandlers,
  ...subnetHandlers,
  ...tagHandlers,
  ...vpcBlockHandlers,
  ...vpcHandlers,
} satisfies Ec2Handlers;

const kafkaHandlers = {
  ...kafkaClusterHandlers,
  ...kafkaNodeHandlers,
  ...kafkaOperationHandlers,
  ...kafkaSecretHandlers,
  ...kafkaTagHandlers,
  ...kafkaTopicHandlers,
  ...kafkaUpdateHandlers,
} satisfies Handlers<typeof kafka>;

const lambdaHandlers = {
  ...lambdaFunctionHandlers,
  ...lambdaInvokeHandlers,
  ...lambdaTagHandlers,
} satisfies Handlers<typeof lambda>;

export const SERVICES: Readonly<Record<string, Service>> = {
  ec2: {
    protocol: ec2Query(ec2, "http://ec2.amazonaws.com/doc/2016-11-15/"),
    handlers: ec2Handlers as Service["handlers"],
    errors: {
      throttled: () => new AwsError("RequestLimitExceeded", "Request limit exceeded.", 503),
      failed: internalError,
    },
  },
  sts: {
    protocol: awsQuery(sts, "https://sts.amazonaws.com/doc/2011-06-15/"),
    handlers: stsHandlers as Service["handlers"],
    errors: { throttled: () => new AwsError("Throttling", "Rate exceeded"), failed: internalError },
  },
  servicequotas: {
    protocol: awsJson(quotas, "ServiceQuotasV20190624"),
    handlers: serviceQuotaHandlers as Service["handlers"],
    errors: {
      throttled: () => new AwsError("TooManyRequestsException", "Rate exceeded"),
      failed: internalError,
    },
  },
  secretsmanager: {
    protocol: awsJson(secrets, "secretsmanager"),
    handlers: secretHandlers as Service["handlers"],
    errors: {
      throttled: () => new AwsError("ThrottlingException", "Rate exceeded"),
      failed: () => new AwsError("InternalServiceError", "An error occurred on the server side.", 500),
    },
  },
  kafka: {
    protocol: restJson(kafka, KAFKA_REFUSALS),
    handlers: kafkaHandlers as Service["handlers"],
    errors: KAFKA_ERRORS,
  },
  lambda: {
    protocol: restJson(lambda, LAMBDA_REFUSALS),
    handlers: lambdaHandlers as Service["handlers"],
    errors: LAMBDA_ERRORS,
  },
};
