import { type ConformanceCase, del, get, on, patch, post, put, rowOf } from "../case.ts";
import {
  array,
  bool,
  including,
  int,
  like,
  listOf,
  not,
  number,
  object,
  oneOf,
  orAbsent,
  someText,
  text,
  time,
} from "../shape.ts";

const refused = { error: someText };
const beat = (body: object) =>
  on(post("/registry/heartbeat", { workspace_id: "{fresh}", ...body }, "fresh"), 200);

const ops = (line: number) => rowOf("§17", line);
const operations = [
  ops(653)("health", on(get("/health", null), 200, { status: "ok" })),
  ops(654)("buildinfo", on(get("/buildinfo", null), 200, { git_sha: someText })),
  ops(655)(
    "metrics are Prometheus text",
    on(get("/metrics"), 200, like(/# TYPE /), {
      headers: { "content-type": like(/^text\/plain/) },
    }),
  ),
  ops(655)(
    "requests are counted by method, path and status",
    on(get("/health", null), 200),
    on(
      get("/metrics"),
      200,
      like(
        /molecule_http_requests_total\{[^}]*method="GET"[^}]*path="\/health"[^}]*status="200"[^}]*\} \d+/,
      ),
    ),
  ),
  ops(655)(
    "and their seconds",
    on(get("/metrics"), 200, like(/molecule_http_request_duration_seconds_total\{/)),
  ),
  ops(655)(
    "and open sockets",
    on(get("/metrics"), 200, like(/molecule_websocket_connections_active \d+/)),
  ),
  ops(655)(
    "the path is the route's pattern",
    on(get("/workspaces/{lead}"), 200),
    on(get("/metrics"), 200, not(like(/path="[^"]*[0-9a-f]{8}-[0-9a-f]{4}-/))),
  ),
  ops(656)("liveness", on(get("/admin/liveness"), 200, { subsystems: object })),
  ops(657)(
    "an unknown runtime names the known ones",
    on(post("/admin/workspace-images/refresh?runtime=cobol", {}), [400, 503], refused),
  ),
  ops(658)(
    "bootstrap-failed of one that is not starting",
    on(post("/admin/workspaces/{fresh}/bootstrap-failed", { error: "x", log_tail: "" }), 200, {
      ok: true,
      no_change: true,
    }),
  ),
  ops(658)(
    "bootstrap-failed of an unknown one",
    on(
      post("/admin/workspaces/{unknown}/bootstrap-failed", { error: "x", log_tail: "" }),
      404,
      refused,
    ),
  ),
  ops(659)("console without a control plane", on(get("/workspaces/{lead}/console"), 501, refused)),
  ops(660)(
    "the viewport",
    on(get("/canvas/viewport"), 200, { x: number, y: number, zoom: number }),
  ),
  ops(661)(
    "saving it",
    on(put("/canvas/viewport", { x: 1, y: 2, zoom: 0.5 }), 200, { status: "saved" }),
    on(get("/canvas/viewport"), 200, { x: number, zoom: number }),
  ),
  ops(661)("a viewport in text", on(put("/canvas/viewport", { x: "left" }), 400, refused)),
];

const memory = (line: number) => rowOf("§20", line);
const M = "/workspaces/{fresh}/memories";
const K = "/workspaces/{fresh}/memory";
const A = "/workspaces/{fresh}/approvals";
const runtime = [
  memory(756)(
    "a memory",
    on(post(M, { content: "c", scope: "LOCAL" }, "fresh"), 201, {
      id: someText,
      scope: "LOCAL",
      namespace: text,
    }),
  ),
  memory(756)(
    "with the runtime's extra workspace_id",
    on(post(M, { content: "c", scope: "LOCAL", workspace_id: "{fresh}" }, "fresh"), 201),
  ),
  memory(756)("no content", on(post(M, { scope: "LOCAL" }, "fresh"), 400, refused)),
  memory(756)(
    "another scope",
    on(post(M, { content: "c", scope: "UNIVERSE" }, "fresh"), 400, refused),
  ),
  memory(756)(
    "GLOBAL from below the root",
    on(
      post("/workspaces/{freshChild}/memories", { content: "c", scope: "GLOBAL" }, "freshChild"),
      403,
      refused,
    ),
  ),
  memory(757)(
    "found again",
    on(post(M, { content: "a needle", scope: "LOCAL" }, "fresh"), 201),
    on(
      get(`${M}?q=needle`, "fresh"),
      200,
      including({
        id: someText,
        workspace_id: "{fresh}",
        content: "a needle",
        scope: "LOCAL",
        namespace: text,
        created_at: time,
        similarity_score: orAbsent(number),
      }),
    ),
  ),
  memory(757)("none is a list", on(get(M, "fresh"), 200, [])),
  memory(758)(
    "deleted",
    on(post(M, { content: "c", scope: "LOCAL" }, "fresh"), 201, {}, { save: { mid: "id" } }),
    on(del(`${M}/{mid}`, "fresh"), 200, { status: "deleted" }),
  ),
  memory(758)("an unknown one", on(del(`${M}/{unknown}`, "fresh"), 404, refused)),
  memory(759)(
    "a key is set",
    on(post(K, { key: "k", value: { a: 1 } }, "fresh"), 200, {
      status: "ok",
      key: "k",
      version: int,
    }),
  ),
  memory(759)(
    "and read",
    on(post(K, { key: "k", value: "v" }, "fresh"), 200),
    on(get(`${K}/k`, "fresh"), 200, { key: "k", value: "v" }),
  ),
  memory(759)(
    "another version",
    on(post(K, { key: "k", value: "v" }, "fresh"), 200),
    on(post(K, { key: "k", value: "w", if_match_version: 99 }, "fresh"), 409, refused),
  ),
  memory(759)(
    "deleted",
    on(post(K, { key: "k", value: "v" }, "fresh"), 200),
    on(del(`${K}/k`, "fresh"), 200),
    on(get(`${K}/k`, "fresh"), 404, refused),
  ),
  memory(760)(
    "an approval is asked for",
    on(post(A, { action: "deploy", reason: "r", task_id: "t", context: {} }, "fresh"), 201, {
      approval_id: someText,
      status: "pending",
    }),
  ),
  memory(760)(
    "and decided",
    on(
      post(A, { action: "deploy", reason: "r" }, "fresh"),
      201,
      {},
      { save: { aid: "approval_id" } },
    ),
    on(post(`${A}/{aid}/decide`, { decision: "approved", decided_by: "me" }), 200),
  ),
  memory(760)("those that wait", on(get("/approvals/pending"), 200, array)),
  memory(761)(
    "instructions",
    on(get("/workspaces/{fresh}/instructions/resolve", "fresh"), 200, {
      workspace_id: "{fresh}",
      instructions: text,
    }),
  ),
  memory(762)(
    "no checkpoint yet",
    on(get("/workspaces/{fresh}/checkpoints/latest", "fresh"), 404, refused),
  ),
  memory(762)(
    "a checkpoint is kept, and the latest read",
    on(post("/workspaces/{fresh}/checkpoints", { step_index: 1 }, "fresh"), [200, 201]),
    on(post("/workspaces/{fresh}/checkpoints", { step_index: 2 }, "fresh"), [200, 201]),
    on(get("/workspaces/{fresh}/checkpoints/latest", "fresh"), 200, { step_index: 2 }),
  ),
  memory(762)(
    "a checkpoint that is no object",
    on(post("/workspaces/{fresh}/checkpoints", "[1]", "fresh"), 400, refused),
  ),
  memory(763)(
    "no GitHub app",
    on(get("/workspaces/{fresh}/github-installation-token", "fresh"), [404, 501], refused),
  ),
  memory(764)(
    "session search",
    on(get("/workspaces/{fresh}/session-search?q=x", "fresh"), 200, array),
  ),
  memory(765)(
    "values of secrets, to its own bearer",
    on(put("/workspaces/{freshManaged}/secrets", { key: "A_KEY", value: "v" }), 200),
    on(get("/workspaces/{freshManaged}/secrets/values", "freshManaged"), 200, { A_KEY: "v" }),
  ),
  memory(765)(
    "and to nobody else",
    on(get("/workspaces/{freshManaged}/secrets/values"), 401, refused),
  ),
  memory(765)(
    "an unknown plugin",
    on(get("/workspaces/{fresh}/plugins/none/download", "fresh"), 404, refused),
  ),
  memory(765)(
    "a plugin's name with a separator",
    on(get("/workspaces/{fresh}/plugins/..%2Fx/download", "fresh"), 400, refused),
  ),
  memory(765)(
    "a plugin of an unknown scheme",
    on(get("/workspaces/{fresh}/plugins/p/download?source=ftp://p", "fresh"), 400, {
      error: someText,
      available_schemes: listOf(someText),
    }),
  ),
  memory(765)(
    "a plugin is an archive",
    on(
      put("/workspaces/{freshManaged}/files/plugins/probe/plugin.yaml", { content: "name: probe" }),
      200,
    ),
    on(get("/workspaces/{freshManaged}/plugins/probe/download"), 200, undefined, {
      headers: { "content-type": like(/gzip/), "x-plugin-name": "probe" },
    }),
  ),
  memory(765)(
    "state",
    on(get("/workspaces/{fresh}/state", "fresh"), 200, { workspace_id: "{fresh}", paused: bool }),
  ),
  memory(767)(
    "the wheel learns that it was removed",
    on(get("/workspaces/{removed}", null), 410, { hint: someText }),
  ),
  memory(750)(
    "the wheel's headers",
    on(
      get("/registry/{lead}/peers", "lead", { "x-workspace-id": "{lead}", origin: "{base}" }),
      200,
      array,
    ),
  ),
  memory(748)(
    "beats go on after a refused register",
    on(post("/registry/register", { id: "{fresh}" }, "fresh"), 400),
    beat({}),
  ),
  memory(748)(
    "an initial prompt to itself",
    on(
      post(
        "/workspaces/{fresh}/a2a",
        {
          method: "message/send",
          params: {
            message: {
              role: "user",
              messageId: "initial-{uuid}",
              parts: [{ kind: "text", text: "start" }],
            },
          },
        },
        "fresh",
        { "x-workspace-id": "{fresh}" },
      ),
      200,
      oneOf({ status: "queued" }, { result: object }),
    ),
  ),
  memory(754)(
    "a name that the runtime changes",
    on(patch("/workspaces/{fresh}", { name: "conformance" }, "fresh"), 200),
  ),
];

/** §17 and §20. */
export const operationCases: readonly ConformanceCase[] = [...operations, ...runtime];
