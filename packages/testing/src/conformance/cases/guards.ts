import {
  type Call,
  type ConformanceCase,
  del,
  get,
  message,
  on,
  patch,
  post,
  put,
  rowOf,
} from "../case.ts";
import { absent, someText } from "../shape.ts";

const refused = { error: someText };
const card = { name: "conformance", skills: [] };

/** Routes of one workspace, with whom the path names as `W`. Source: §2.2 WorkspaceAuth. */
const WORKSPACE_ROUTES: readonly ((id: string, as: string | null) => Call)[] = [
  (id, as) => patch(`/workspaces/${id}`, { name: "conformance" }, as),
  (id, as) => get(`/workspaces/${id}/state`, as),
  (id, as) => post(`/workspaces/${id}/restart`, {}, as),
  (id, as) => post(`/workspaces/${id}/pause`, {}, as),
  (id, as) => post(`/workspaces/${id}/resume`, {}, as),
  (id, as) => post(`/workspaces/${id}/hibernate`, {}, as),
  (id, as) => get(`/workspaces/${id}/budget`, as),
  (id, as) => get(`/registry/${id}/peers`, as),
  (id, as) => post(`/workspaces/${id}/delegate`, { target_id: "{unknown}", task: "x" }, as),
  (id, as) =>
    post(
      `/workspaces/${id}/delegations/record`,
      { target_id: "{unknown}", task: "x", delegation_id: "{uuid}" },
      as,
    ),
  (id, as) => post(`/workspaces/${id}/delegations/{uuid}/update`, { status: "completed" }, as),
  (id, as) => get(`/workspaces/${id}/delegations`, as),
  (id, as) => post(`/workspaces/${id}/notify`, { message: "x" }, as),
  (id, as) => post(`/workspaces/${id}/activity`, { activity_type: "agent_log" }, as),
  (id, as) => get(`/workspaces/${id}/activity`, as),
  (id, as) => get(`/workspaces/${id}/chat/download?path=/workspace/a`, as),
  (id, as) => get(`/workspaces/${id}/files`, as),
  (id, as) => get(`/workspaces/${id}/files/a.txt`, as),
  (id, as) => put(`/workspaces/${id}/files/a.txt`, { content: "x" }, as),
  (id, as) => del(`/workspaces/${id}/files/a.txt`, as),
  (id, as) => put(`/workspaces/${id}/files`, { files: {} }, as),
  (id, as) => get(`/workspaces/${id}/config`, as),
  (id, as) => patch(`/workspaces/${id}/config`, { a: 1 }, as),
  (id, as) => get(`/workspaces/${id}/config-bundle`, as),
  (id, as) => get(`/workspaces/${id}/model`, as),
  (id, as) => get(`/workspaces/${id}/secrets`, as),
  (id, as) => get(`/workspaces/${id}/secrets/values`, as),
  (id, as) => get(`/workspaces/${id}/tokens`, as),
  (id, as) => post(`/workspaces/${id}/tokens`, {}, as),
];

/** Source: §2.2 AdminAuth. */
const ADMIN_ROUTES: readonly ((as: string | null) => Call)[] = [
  (as) => get("/workspaces", as),
  (as) => post("/workspaces", { name: "x", external: true }, as),
  (as) => del("/workspaces/{lead}", as),
  (as) => patch("/workspaces/{lead}/budget", { budget_limit: null }, as),
  (as) => get("/events", as),
  (as) => get("/events/{lead}", as),
  (as) => get("/settings/secrets", as),
  (as) => put("/settings/secrets", { key: "K", value: "v" }, as),
  (as) => get("/templates", as),
  (as) => get("/admin/liveness", as),
  (as) => post("/admin/workspace-images/refresh", {}, as),
  (as) => post("/admin/workspaces/{lead}/bootstrap-failed", { error: "x", log_tail: "" }, as),
  (as) => get("/workspaces/{lead}/console", as),
];

/** Source: §2.2 registry gate. */
const REGISTRY_ROUTES: readonly (readonly [string, (as: string | null) => Call])[] = [
  [
    "register",
    (as) =>
      post(
        "/registry/register",
        { id: "{lead}", url: "", delivery_mode: "poll", agent_card: card },
        as,
      ),
  ],
  ["heartbeat", (as) => post("/registry/heartbeat", { workspace_id: "{lead}" }, as)],
  [
    "update-card",
    (as) => post("/registry/update-card", { workspace_id: "{lead}", agent_card: card }, as),
  ],
];

const workspace = rowOf("§2.2", 51);
const admin = rowOf("§2.2", 52);
const registry = rowOf("§2.2", 54);
const discovery = rowOf("§2.2", 55);
const viewport = rowOf("§2.2", 53);
const open = rowOf("§2.3", 63);
const closed = rowOf("§2.3", 65);
const removed = rowOf("§3.3", 120);

function nameOf({ method, path }: Call): string {
  return `${method} ${path}`;
}

const ofWorkspace = WORKSPACE_ROUTES.flatMap((route) => [
  workspace(
    `${nameOf(route(":id", null))} without a bearer`,
    on(route("{lead}", null), 401, refused),
  ),
  workspace(
    `${nameOf(route(":id", null))} with a wrong bearer`,
    on(route("{lead}", "wrong"), 401, refused),
  ),
  workspace(
    `${nameOf(route(":id", null))} with another workspace's bearer`,
    on(route("{lead}", "other"), 401, refused),
  ),
  removed(
    `${nameOf(route(":id", null))} of a removed workspace is 410 or 404 with the word that it is gone`,
    on(route("{removed}", "admin"), [404, 410], refused),
  ),
]);

const ofAdmin = ADMIN_ROUTES.flatMap((route) => [
  admin(`${nameOf(route(null))} without a bearer`, on(route(null), 401, refused)),
  admin(`${nameOf(route(null))} with a wrong bearer`, on(route("wrong"), 401, refused)),
  admin(`${nameOf(route(null))} with a workspace's bearer`, on(route("lead"), 401, refused)),
]);

const ofRegistry = REGISTRY_ROUTES.flatMap(([name, route]) => [
  registry(`${name} without a bearer`, on(route(null), 401, refused)),
  registry(`${name} with a wrong bearer`, on(route("wrong"), 401, refused)),
  registry(`${name} with another workspace's bearer`, on(route("other"), 401, refused)),
]);

/** A wrong bearer never falls through to the paths without one. */
const noFallThrough = [
  workspace(
    "a wrong bearer with a page's Referer is still refused",
    on(get("/workspaces/{lead}/state", "wrong", { referer: "{base}/" }), 401, refused),
  ),
  workspace(
    "a wrong bearer with a page's Origin is still refused",
    on(get("/workspaces/{lead}/state", "wrong", { origin: "{base}" }), 401, refused),
  ),
  workspace(
    "a forged Referer alone is no credential",
    on(get("/workspaces/{lead}/state", null, { referer: "{base}/" }), 401, refused),
  ),
  workspace("the administrator passes", on(get("/workspaces/{lead}/state"), 200)),
  workspace("the workspace itself passes", on(get("/workspaces/{lead}/state", "lead"), 200)),
];

const opened = [
  open("GET /health", on(get("/health", null), 200, { status: "ok" })),
  open("GET /buildinfo", on(get("/buildinfo", null), 200, { git_sha: someText })),
  open(
    "GET /workspaces/:id tells a stranger that it exists",
    on(get("/workspaces/{lead}", null), 200, { id: "{lead}", status: someText }),
  ),
  open(
    "GET /workspaces/:id tells a stranger that it does not",
    on(get("/workspaces/{unknown}", null), 404, refused),
  ),
  open(
    "GET /workspaces/:id tells a stranger that it is gone",
    on(get("/workspaces/{removed}", null), 410, {
      error: someText,
      id: "{removed}",
      hint: someText,
    }),
  ),
  ...[
    "name",
    "role",
    "runtime",
    "url",
    "agent_card",
    "parent_id",
    "budget_limit",
    "monthly_spend",
    "current_task",
    "last_sample_error",
    "workspace_dir",
  ].map((field) =>
    closed(
      `a stranger does not learn ${field}`,
      on(get("/workspaces/{lead}", null), 200, { [field]: absent }),
    ),
  ),
  closed(
    "GET /canvas/viewport needs a credential",
    on(get("/canvas/viewport", null), 401, refused),
  ),
  closed(
    "POST /registry/check-access needs a credential",
    on(
      post("/registry/check-access", { caller_id: "{lead}", target_id: "{member}" }, null),
      401,
      refused,
    ),
  ),
  closed(
    "POST …/a2a needs a credential",
    on(post("/workspaces/{lead}/a2a", message("x"), null), 401, refused),
  ),
  closed(
    "POST …/a2a with only the header of a caller is refused",
    on(
      post("/workspaces/{lead}/a2a", message("x"), null, { "x-workspace-id": "{member}" }),
      401,
      refused,
    ),
  ),
  closed(
    "POST …/a2a to itself with only the header is refused",
    on(
      post("/workspaces/{lead}/a2a", message("x"), null, { "x-workspace-id": "{lead}" }),
      401,
      refused,
    ),
  ),
  closed(
    "register creates no workspace",
    on(
      post(
        "/registry/register",
        { id: "{unknown}", url: "", delivery_mode: "poll", agent_card: card },
        null,
      ),
      [401, 404],
      refused,
    ),
  ),
  closed("GET /events/stream needs a credential", on(get("/events/stream", null), 401, refused)),
  closed(
    "GET …/shared-context needs a credential",
    on(get("/workspaces/{lead}/shared-context", null), 401, refused),
  ),
  viewport(
    "PUT without a credential",
    on(put("/canvas/viewport", { x: 0, y: 0, zoom: 1 }, null), 401, refused),
  ),
  viewport(
    "PUT with a wrong bearer",
    on(put("/canvas/viewport", { x: 0, y: 0, zoom: 1 }, "wrong"), 401, refused),
  ),
  viewport(
    "PUT with any live workspace token",
    on(put("/canvas/viewport", { x: 0, y: 0, zoom: 1 }, "lead"), 200, { status: "saved" }),
  ),
  discovery(
    "discover without a bearer",
    on(get("/registry/discover/{member}", null, { "x-workspace-id": "{lead}" }), 401, refused),
  ),
  discovery(
    "discover with a wrong bearer",
    on(get("/registry/discover/{member}", "wrong", { "x-workspace-id": "{lead}" }), 401, refused),
  ),
  discovery(
    "discover with the bearer of somebody else",
    on(get("/registry/discover/{member}", "other", { "x-workspace-id": "{lead}" }), 401, refused),
  ),
];

export const guardCases: readonly ConformanceCase[] = [
  ...ofWorkspace,
  ...ofAdmin,
  ...ofRegistry,
  ...noFallThrough,
  ...opened,
];
