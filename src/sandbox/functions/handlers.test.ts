/** What a function's process does as Lambda's own would: how handlers are found, what they are given, what they may answer, and how errors are worded. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CreateFunctionRequest } from "@aws-sdk/client-lambda";
import { OWNER, REGION } from "../testing/functions.ts";
import { Invocations } from "../testing/invocations.ts";

describe("a function's process", () => {
  let it: Invocations;
  before(async () => {
    it = await Invocations.start();
  });
  after(() => it.close());

  describe("handlers", () => {
    const cases: readonly [
      what: string,
      files: Record<string, string>,
      more: Partial<CreateFunctionRequest>,
    ][] = [
      ["CommonJS", { "index.js": "exports.handler = async () => 'here';" }, {}],
      ["a file that ends in .cjs", { "index.cjs": "exports.handler = async () => 'here';" }, {}],
      ["a file that ends in .mjs", { "index.mjs": "export const handler = async () => 'here';" }, {}],
      [
        "a package of modules",
        {
          "package.json": '{"type":"module"}',
          "index.js": 'import { word } from "./lib/word.js"; export const handler = async () => word;',
          "lib/word.js": 'export const word = "here";',
        },
        {},
      ],
      [
        "folders and nested exports",
        {
          "src/deep/app.js": "exports.on = { call: async () => require('../word.js') };",
          "src/word.js": "module.exports = 'here';",
        },
        { Handler: "src/deep/app.on.call" },
      ],
      [
        "a package of its own",
        {
          "index.js": "const word = require('word'); exports.handler = async () => word;",
          "node_modules/word/index.js": "module.exports = 'here';",
        },
        {},
      ],
      [
        "top-level await",
        { "index.mjs": "const word = await 'here'; export const handler = async () => word;" },
        {},
      ],
      [
        "a callback",
        {
          "index.js":
            "exports.handler = (event, context, callback) => { setTimeout(() => callback(null, 'here'), 1); };",
        },
        {},
      ],
      [
        "a callback that does not wait",
        {
          "index.js":
            "exports.handler = (event, context, callback) => { context.callbackWaitsForEmptyEventLoop = false; setInterval(() => {}, 1000); callback(null, 'here'); };",
        },
        {},
      ],
      [
        "what Node.js 24 answers without a promise",
        { "index.js": "exports.handler = () => 'here';" },
        { Runtime: "nodejs24.x" },
      ],
    ];
    for (const [what, files, more] of cases)
      test(what, async () => {
        assert.deepEqual((await it.invoke(await it.active(files, more))).value, "here");
      });

    test("nothing is null; what comes to rest without an answer, too", async () => {
      assert.equal((await it.invoke(await it.active("exports.handler = async () => {};"))).value, null);
      assert.equal((await it.invoke(await it.active("exports.handler = () => 'lost';"))).value, null);
    });
  });

  test("the context and the environment are Lambda's and the function's, and nothing of the sandbox's", async () => {
    process.env.LEAKS_HERE = "secret";
    const name = await it.active(
      `exports.handler = async (event, context) => ({
        env: process.env, cwd: process.cwd(), context, left: context.getRemainingTimeInMillis(),
      });`,
      { Environment: { Variables: { TARGET: "ä b", NODE_ENV: "production" } }, MemorySize: 256, Timeout: 7 },
    );
    delete process.env.LEAKS_HERE;
    const ClientContext = Buffer.from('{"custom":{"a":1}}').toString("base64");
    const { value } = await it.invoke(name, {}, { ClientContext });
    const { PATH, AWS_LAMBDA_LOG_STREAM_NAME: stream, LAMBDA_TASK_ROOT: root, ...env } = value.env;
    assert.match(PATH, /\/bin/);
    assert.match(stream, /^2026\/01\/01\/\[\$LATEST\][0-9a-f]{32}$/);
    assert.equal(value.cwd, root);
    assert.deepEqual(env, {
      ...{ LANG: "en_US.UTF-8", TZ: ":UTC", TARGET: "ä b", NODE_ENV: "production" },
      ...{ AWS_REGION: REGION, AWS_DEFAULT_REGION: REGION, _HANDLER: "index.handler" },
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    });
    assert.ok(value.left > 0 && value.left <= 7_000);
    const { awsRequestId, logStreamName, ...context } = value.context;
    assert.match(awsRequestId, /^[0-9a-f-]{36}$/);
    assert.equal(logStreamName, stream);
    assert.deepEqual(context, {
      functionName: name,
      functionVersion: "$LATEST",
      memoryLimitInMB: "256",
      logGroupName: `/aws/lambda/${name}`,
      clientContext: { custom: { a: 1 } },
      invokedFunctionArn: `arn:aws:lambda:${REGION}:${OWNER}:function:${name}`,
      callbackWaitsForEmptyEventLoop: true,
    });
  });

  describe("errors of the function", () => {
    const throwing = (what: string) => `exports.handler = async () => { ${what} };`;
    const cases: readonly [
      what: string,
      files: string,
      wanted: readonly [type: string, message: string | RegExp],
      more?: Partial<CreateFunctionRequest>,
    ][] = [
      ["an error thrown", throwing("throw new RangeError('too far');"), ["RangeError", "too far"]],
      ["a text thrown", throwing("throw 'plain';"), ["string", "plain"]],
      [
        "a callback's error",
        "exports.handler = (e, c, callback) => callback(new TypeError('no'));",
        ["TypeError", "no"],
      ],
      ["an answer that is no JSON", throwing("return 1n;"), ["Error", "Unable to stringify response body"]],
      [
        "the same in Node.js 24",
        throwing("return 1n;"),
        ["Runtime.JSONStringifyError", "Unable to stringify response body"],
        { Runtime: "nodejs24.x" },
      ],
      [
        "a module that is not there",
        "require('nowhere');",
        ["Runtime.ImportModuleError", /^Error: Cannot find module 'nowhere'/],
      ],
      [
        "a file that is not there",
        "",
        ["Runtime.ImportModuleError", /Cannot find module/],
        { Handler: "other.handler" },
      ],
      [
        "a handler that is not there",
        "exports.other = 1;",
        ["Runtime.HandlerNotFound", "index.handler is undefined or not exported"],
      ],
      [
        "a handler that is none",
        "exports.handler = 'text';",
        ["Runtime.HandlerNotFound", "index.handler is not a function"],
      ],
      [
        "a handler's name that is none",
        "",
        ["Runtime.MalformedHandlerName", "Bad handler"],
        { Handler: "index" },
      ],
      [
        "a handler outside",
        "",
        ["Runtime.MalformedHandlerName", /'\.\.\/x\.y' is not a valid handler name/],
        { Handler: "../x.y" },
      ],
      ["what is no JavaScript", "exports.handler = (;", ["Runtime.UserCodeSyntaxError", /^SyntaxError: /]],
      ["an error while it loads", "throw new TypeError('early');", ["TypeError", "early"]],
      [
        "a callback in Node.js 24",
        "exports.handler = (event, context, callback) => callback();",
        ["Runtime.CallbackHandlerDeprecated", /starting with Node.js 24/],
        { Runtime: "nodejs24.x" },
      ],
      [
        "an error nobody catches",
        throwing("setTimeout(() => { throw new Error('lost'); }); return new Promise(() => {});"),
        ["Error", "lost"],
      ],
      [
        "a rejection nobody catches",
        throwing("Promise.reject(new Error('lost')); return new Promise((done) => setTimeout(done, 60000));"),
        ["Runtime.UnhandledPromiseRejection", "Error: lost"],
      ],
      [
        "an end of its own",
        throwing("process.exit(3);"),
        ["Runtime.ExitError", /^RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status 3$/],
      ],
      [
        "an end without a reason",
        throwing("process.exit();"),
        ["Runtime.ExitError", /Error: Runtime exited without providing a reason$/],
      ],
      [
        "an end by a signal",
        throwing(
          "process.kill(process.pid, 'SIGKILL'); await new Promise(() => setInterval(() => {}, 1000));",
        ),
        ["Runtime.ExitError", /signal: killed$/],
      ],
      [
        "an answer of more than 6 MB",
        throwing("return 'x'.repeat(6291556);"),
        ["Function.ResponseSizeTooLarge", /6291556 bytes/],
      ],
    ];
    for (const [what, files, [type, message], more] of cases)
      test(what, async () => {
        const { status, error, value } = await it.invoke(await it.active(files, more));
        assert.deepEqual([status, error, value.errorType], [200, "Unhandled", type]);
        if (typeof message === "string") assert.equal(value.errorMessage, message);
        else assert.match(value.errorMessage, message);
      });

    test("an error has its stack, and the environment stays; after an end there is a new one", async () => {
      const name = await it.active(
        "let n = 0; exports.handler = async ({ how }) => { n += 1; if (how === 'throw') throw new Error('x'); if (how === 'exit') process.exit(1); return n; };",
      );
      const { value } = await it.invoke(name, { how: "throw" });
      assert.equal(value.trace[0], "Error: x");
      assert.match(value.trace[1], /at exports\.handler|at .*index\.js/);
      assert.equal((await it.invoke(name, {})).value, 2);
      await it.invoke(name, { how: "exit" });
      assert.equal((await it.invoke(name, {})).value, 1);
    });
  });
});
