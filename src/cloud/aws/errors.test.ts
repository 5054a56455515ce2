import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EC2ServiceException } from "@aws-sdk/client-ec2";
import { Failure } from "../../domain/failure.ts";
import { CallError } from "./callError.ts";
import { failureOf } from "./errors.ts";

const PLACE = { action: "ec2:CreateVpc", region: "us-east-1", endpoint: "http://127.0.0.1:9" };

function answered(name: string, status = 400): CallError {
  const thrown = new EC2ServiceException({
    name,
    message: "AWS's words",
    $fault: status < 500 ? "client" : "server",
    $metadata: { httpStatusCode: status, requestId: "req-1" },
  });
  return new CallError(thrown, PLACE);
}

function broken(code: string): CallError {
  return new CallError(Object.assign(new Error("broke off"), { code }), PLACE);
}

describe("failureOf", () => {
  const rows: readonly (readonly [string, Failure["code"]])[] = [
    ["RequestLimitExceeded", "unavailable"],
    ["VpcLimitExceeded", "exhausted"],
    ["AddressLimitExceeded", "exhausted"],
    ["NatGatewayLimitExceeded", "exhausted"],
    ["VpcPeeringConnectionsPerVpcLimitExceeded", "exhausted"],
    ["InsufficientFreeAddressesInSubnet", "exhausted"],
    ["UnauthorizedOperation", "forbidden"],
    ["AccessDenied", "forbidden"],
    ["AuthFailure", "forbidden"],
    ["OptInRequired", "forbidden"],
    ["DependencyViolation", "conflict"],
    ["IncorrectState", "conflict"],
    ["InvalidStateTransition", "conflict"],
    ["RouteAlreadyExists", "conflict"],
    ["Resource.AlreadyAssociated", "conflict"],
    ["InvalidVpcID.NotFound", "notFound"],
    ["InvalidVpcPeeringConnectionId.NotFound", "notFound"],
    ["NatGatewayNotFound", "notFound"],
    ["InvalidParameterValue", "invalid"],
    ["InvalidAction", "internal"],
    ["SomethingNew", "internal"],
  ];
  for (const [code, failure] of rows)
    test(`${code} is ${failure}, however it is spelt`, () => {
      assert.equal(failureOf(answered(code)).code, failure);
      assert.equal(failureOf(answered(code.toUpperCase())).code, failure);
    });

  test("a used-up quota names the quota, its code and where to ask for more", () => {
    const failure = failureOf(answered("AddressLimitExceeded"));
    assert.match(failure.message, /L-0263D0A3/);
    assert.match(
      failure.hint ?? "",
      /https:\/\/us-east-1\.console\.aws\.amazon\.com\/servicequotas\/home\/services\/ec2\/quotas\/L-0263D0A3/,
    );
  });

  test("a refused permission names the action, and AWS's words go to the log alone", () => {
    const failure = failureOf(answered("UnauthorizedOperation", 403));
    assert.match(failure.message, /ec2:CreateVpc/);
    assert.doesNotMatch(`${failure.message}${failure.hint}`, /AWS's words/);
    assert.match(failure.detail ?? "", /AWS's words/);
    assert.match(failure.detail ?? "", /req-1/);
  });

  test("a broken conversation says where the cloud does not answer", () => {
    for (const code of ["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENOTFOUND"]) {
      const failure = failureOf(broken(code));
      assert.equal(failure.code, "unavailable");
      assert.match(failure.message, /http:\/\/127\.0\.0\.1:9/);
    }
  });

  test("5xx is unavailable whatever its code", () => {
    assert.equal(failureOf(answered("InternalError", 500)).code, "unavailable");
    assert.equal(failureOf(answered("SomethingNew", 503)).code, "unavailable");
  });

  test("a Failure stays what it is; anything else is our bug", () => {
    const own = new Failure("conflict", "x");
    assert.equal(failureOf(own), own);
    assert.equal(failureOf(new TypeError("x is not a function")).code, "internal");
    assert.equal(failureOf(new CallError(new TypeError("no"), PLACE)).code, "internal");
  });
});

describe("trouble", () => {
  test("tells what was surely not done from what nobody knows", () => {
    assert.equal(answered("RequestLimitExceeded", 503).trouble, "throttled");
    assert.equal(answered("InternalError", 500).trouble, "unanswered");
    assert.equal(broken("ECONNRESET").trouble, "unanswered");
    assert.equal(broken("ECONNREFUSED").trouble, "unsent");
    assert.equal(new CallError(new Error("x"), PLACE).trouble, "refused");
    const unreadable = Object.assign(new Error("XML"), { $metadata: { httpStatusCode: 200 } });
    assert.equal(new CallError(unreadable, PLACE).trouble, "unanswered");
    assert.equal(new CallError(unreadable, PLACE, { sent: false }).trouble, "unsent");
    assert.equal(answered("DependencyViolation").trouble, "refused");
  });
});
