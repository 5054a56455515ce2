/**
 * API keys: a tenant's and the operator's. The key itself crosses once, in the answer of its creation.
 */
import { z } from "zod";
import { ROLES } from "../domain/model.ts";
import { define, forTenant, none } from "./define.ts";
import * as shape from "./schemas.ts";

export const keysOperations = {
  "keys.create": define({
    method: "POST",
    path: "/v1/keys",
    summary: "Create a key",
    description:
      "The key is shown once and kept as a hash. viewer reads, member writes, admin also manages keys.",
    access: "admin",
    tenantScoped: true,
    status: 201,
    params: none,
    query: z.object({ ...forTenant }),
    body: z.object({
      name: z
        .string()
        .regex(/^[^\p{Cc}]{1,100}$/u, "must be 1 to 100 characters, without line breaks and the like")
        .describe("What the key is for"),
      role: z
        .enum(ROLES)
        .optional()
        .describe("viewer reads, member writes (the default), admin also manages keys"),
      operator: z
        .boolean()
        .default(false)
        .describe("A key of the operator's, of no tenant; its role is always admin"),
    }),
    answer: shape.newApiKey,
    idempotent: true,
    command: {
      path: ["keys", "create"],
      columns: ["keyId", "name", "role", "tenantName", "apiKey"],
      examples: [
        {
          what: "A key for a pipeline that only reads",
          command: "letsdata keys create --name dashboards --role viewer",
        },
        {
          what: "An admin key for another tenant",
          command: "letsdata keys create --name acme-admin --role admin --tenantName acme",
        },
      ],
    },
  }),
  "keys.list": define({
    method: "GET",
    path: "/v1/keys",
    summary: "List keys",
    description: "Revoked keys are listed with the time of their revocation.",
    access: "admin",
    tenantScoped: true,
    status: 200,
    params: none,
    query: z.object({
      ...forTenant,
      operator: z.stringbool().default(false).describe("The operator's own keys instead of a tenant's"),
      ...shape.paging,
    }),
    body: null,
    answer: shape.page(shape.apiKey),
    idempotent: false,
    command: {
      path: ["keys", "list"],
      columns: ["keyId", "name", "role", "prefix", "createdDatetime", "revokedDatetime"],
      examples: [{ what: "The keys of the tenant", command: "letsdata keys list" }],
    },
  }),
  "keys.revoke": define({
    method: "DELETE",
    path: "/v1/keys/{keyId}",
    summary: "Revoke a key",
    description: "It stops working with the next request.",
    access: "admin",
    tenantScoped: true,
    status: 200,
    params: z.object({ keyId: shape.keyId }),
    query: z.object({
      ...forTenant,
      operator: z
        .stringbool()
        .default(false)
        .describe("One of the operator's own keys instead of a tenant's"),
    }),
    body: null,
    answer: shape.apiKey,
    idempotent: false,
    command: {
      path: ["keys", "revoke"],
      columns: ["keyId", "name", "role", "revokedDatetime"],
      examples: [{ what: "Take a key back", command: "letsdata keys revoke --keyId key_abc123" }],
    },
  }),
} as const;
