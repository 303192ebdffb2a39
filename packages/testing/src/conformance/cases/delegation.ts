import { type ConformanceCase, get, on, post, rowOf } from "../case.ts";
import { including, like, not, object, oneOf, type Shape, someText, text, time } from "../shape.ts";

const refused = { error: someText };
/** What the suite's agent was asked under the path of a workspace. */
const calls = (behaviour: string, shape: Shape) =>
  on(
    get(`{agent}/_calls?path=/${behaviour}/{fresh-push-${behaviour}}`, null),
    200,
    { calls: shape },
    { within: 10_000 },
  );

const delegate = (body: object, as = "lead", id = as) =>
  post(`/workspaces/{${id}}/delegate`, body, as);
const list = (shape: Shape, as = "lead") =>
  on(get(`/workspaces/{${as}}/delegations`, as), 200, shape, { within: 15_000 });
const record = (body: object) => post("/workspaces/{fresh}/delegations/record", body, "fresh");
const update = (body: object) =>
  post("/workspaces/{fresh}/delegations/{uuid}/update", body, "fresh");
const noted = on(record({ target_id: "{lead}", task: "note", delegation_id: "{uuid}" }), 202, {
  delegation_id: "{uuid}",
  status: "recorded",
});

const routes = (line: number) => rowOf("§7.1", line);
const delegations = [
  routes(362)(
    "its answer",
    on(delegate({ target_id: "{push-echo}", task: "do it" }), 202, {
      delegation_id: someText,
      status: "delegated",
      target_id: "{push-echo}",
    }),
  ),
  routes(362)("no target", on(delegate({ task: "x" }), 400, refused)),
  routes(362)("no task", on(delegate({ target_id: "{member}" }), 400, refused)),
  routes(362)(
    "a target that is no UUID",
    on(delegate({ target_id: "x", task: "x" }), 400, refused),
  ),
  routes(362)("to itself", on(delegate({ target_id: "{lead}", task: "x" }), 400, refused)),
  routes(362)(
    "a repeated key is the same delegation",
    on(
      delegate({ target_id: "{push-echo}", task: "k", idempotency_key: "{uuid}" }),
      202,
      {},
      { save: { first: "delegation_id" } },
    ),
    on(delegate({ target_id: "{push-echo}", task: "k", idempotency_key: "{uuid}" }), [200, 202], {
      delegation_id: "{first}",
      idempotent_hit: true,
    }),
  ),
  routes(362)(
    "a repeated key of a failed one is tried anew",
    on(
      delegate({ target_id: "{push-fails}", task: "k", idempotency_key: "{uuid}" }),
      202,
      {},
      { save: { first: "delegation_id" } },
    ),
    list(including({ delegation_id: "{first}", status: "failed" })),
    on(delegate({ target_id: "{push-fails}", task: "k", idempotency_key: "{uuid}" }), 202, {
      delegation_id: not("{first}"),
      status: "delegated",
    }),
  ),
  routes(362)(
    "another's bearer",
    on(
      post("/workspaces/{lead}/delegate", { target_id: "{member}", task: "x" }, "member"),
      401,
      refused,
    ),
  ),
  routes(363)("its answer", noted),
  routes(363)("no delegation_id", on(record({ target_id: "{lead}", task: "x" }), 400, refused)),
  routes(363)("no target_id", on(record({ task: "x", delegation_id: "d" }), 400, refused)),
  routes(363)("no task", on(record({ target_id: "{lead}", delegation_id: "d" }), 400, refused)),
  ...["completed", "failed", "queued"].map((status) =>
    routes(364)(
      status,
      noted,
      on(update({ status }), 200, { status, delegation_id: "{uuid}" }),
      on(
        get("/workspaces/{fresh}/delegations"),
        200,
        including({ delegation_id: "{uuid}", status }),
      ),
    ),
  ),
  routes(364)("another word", noted, on(update({ status: "pondering" }), 400, refused)),
  routes(364)("no status", noted, on(update({}), 400, refused)),
  routes(364)("an unknown delegation", on(update({ status: "completed" }), [400, 404], refused)),
  routes(364)(
    "the preview is kept",
    noted,
    on(update({ status: "completed", response_preview: "all done" }), 200),
    on(
      get("/workspaces/{fresh}/delegations"),
      200,
      including({ delegation_id: "{uuid}", response_preview: "all done" }),
    ),
  ),
  routes(364)(
    "the error is kept",
    noted,
    on(update({ status: "failed", error: "no luck" }), 200),
    on(
      get("/workspaces/{fresh}/delegations"),
      200,
      including({ delegation_id: "{uuid}", error: "no luck" }),
    ),
  ),
  routes(365)(
    "its fields",
    noted,
    on(
      get("/workspaces/{fresh}/delegations"),
      200,
      including({
        id: someText,
        type: "delegation",
        source_id: "{fresh}",
        target_id: "{lead}",
        summary: text,
        status: someText,
        created_at: time,
        delegation_id: "{uuid}",
      }),
    ),
  ),
  routes(365)(
    "the preview has 300 characters at most",
    noted,
    on(update({ status: "completed", response_preview: "y".repeat(2000) }), 200),
    on(
      get("/workspaces/{fresh}/delegations"),
      200,
      including({ delegation_id: "{uuid}", response_preview: like(/^y{1,300}$/) }),
    ),
  ),
  routes(365)(
    "newest first",
    on(record({ target_id: "{lead}", task: "1", delegation_id: "{uuid}" }), 202),
    on(record({ target_id: "{lead}", task: "2", delegation_id: "{uuid2}" }), 202),
    on(get("/workspaces/{fresh}/delegations"), 200, [
      { delegation_id: "{uuid2}" },
      { delegation_id: "{uuid}" },
    ]),
  ),
  rowOf("§7.2", 372)(
    "the message that is sent",
    on(
      post(
        "/workspaces/{fresh}/delegate",
        { target_id: "{fresh-push-echo}", task: "the task" },
        "fresh",
      ),
      202,
      {},
      { save: { did: "delegation_id" } },
    ),
    calls(
      "echo",
      including({
        body: {
          method: "message/send",
          params: {
            message: {
              role: "user",
              messageId: "{did}",
              parts: [{ type: "text", text: "the task" }],
              metadata: { delegation_id: "{did}" },
            },
          },
        },
      }),
    ),
  ),
  rowOf("§7.2", 375)(
    "an agent that starts: queued, not failed",
    on(
      delegate({ target_id: "{freshManaged}", task: "x" }),
      202,
      {},
      { save: { did: "delegation_id" } },
    ),
    list(including({ delegation_id: "{did}", status: oneOf("queued", "delegated", "completed") })),
  ),
  rowOf("§7.2", 376)(
    "the reply of result.parts",
    on(
      delegate({ target_id: "{push-echo}", task: "needle" }),
      202,
      {},
      { save: { did: "delegation_id" } },
    ),
    list(
      including({ delegation_id: "{did}", status: "completed", response_preview: like(/needle/) }),
    ),
  ),
  rowOf("§7.2", 376)(
    "the reply of result.artifacts",
    on(
      delegate({ target_id: "{push-artifacts}", task: "x" }),
      202,
      {},
      { save: { did: "delegation_id" } },
    ),
    list(
      including({
        delegation_id: "{did}",
        status: "completed",
        response_preview: "from an artifact",
      }),
    ),
  ),
  rowOf("§7.2", 374)(
    "an agent that fails",
    on(
      delegate({ target_id: "{push-fails}", task: "x" }),
      202,
      {},
      { save: { did: "delegation_id" } },
    ),
    list(including({ delegation_id: "{did}", status: "failed", error: someText })),
  ),
  rowOf("§7.2", 372)(
    "403 becomes a failed delegation",
    on(delegate({ target_id: "{stranger}", task: "x" }), [202, 403], object),
  ),
  rowOf("§7.3", 381)(
    "the delegator's row",
    on(
      post("/workspaces/{fresh}/delegate", { target_id: "{push-echo}", task: "row" }, "fresh"),
      202,
    ),
    on(
      get("/workspaces/{fresh}/activity?type=delegation"),
      200,
      including({
        workspace_id: "{fresh}",
        source_id: "{fresh}",
        target_id: "{push-echo}",
        method: "delegate",
      }),
    ),
  ),
];

/** §7. */
export const delegationCases: readonly ConformanceCase[] = delegations;
