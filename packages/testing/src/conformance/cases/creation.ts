import { type ConformanceCase, del, get, on, post, rowOf } from "../case.ts";
import {
  absent,
  array,
  including,
  like,
  oneOf,
  type Shape,
  someText,
  token43,
  uuid,
} from "../shape.ts";

const refused = { error: someText };
const beat = (body: object, as = "fresh") =>
  post("/registry/heartbeat", { workspace_id: `{${as}}`, ...body }, as);
const isNow = (status: string, id = "{fresh}") =>
  on(get(`/workspaces/${id}`), 200, { status }, { within: 5000 });

/** A create that is refused. */
const no = (line: number, title: string, body: object, answer: Shape = refused) =>
  rowOf("§3.4", line)(title, on(post("/workspaces", body), 400, answer));
/** A create that is answered so. */
const yes = (line: number, title: string, body: object, answer: Shape) =>
  rowOf("§3.4", line)(title, on(post("/workspaces", body), 201, answer));
const made = (line: number, title: string, body: object, row: Shape) =>
  rowOf("§3.4", line)(
    title,
    on(
      post("/workspaces", { name: "conformance", external: true, ...body }),
      201,
      { id: uuid },
      { save: { created: "id" } },
    ),
    on(get("/workspaces/{created}"), 200, row),
  );
const external = { name: "conformance", external: true };
const managed = { name: "conformance", runtime: "{runtime}" };

const creation = [
  no(133, "the name is required", { external: true }),
  yes(
    133,
    "255 characters are enough",
    { ...external, name: "n".repeat(255) },
    {
      id: uuid,
    },
  ),
  no(133, "256 are too many", { ...external, name: "n".repeat(256) }),
  no(133, "no new line", { ...external, name: "a\nb" }),
  ...["{", "}", "[", "]", "|", ">", "*", "&", "!"].map((sign) =>
    no(133, `no ${sign} in a name`, { ...external, name: `a${sign}b` }),
  ),
  made(134, "the role is stored", { role: "tester" }, { role: "tester" }),
  made(134, "an empty role is null", { role: "" }, { role: null }),
  no(134, "1001 characters are too many", { ...external, role: "r".repeat(1001) }),
  no(134, "no YAML syntax in a role", { ...external, role: "a: [b]" }),
  no(135, "an unknown template", { ...managed, template: "no-such-template" }),
  no(135, "a template outside its folder", { ...managed, template: "../../etc" }),
  no(135, "an absolute template", { ...managed, template: "/etc" }),
  made(136, "tier 0 is 3", { tier: 0 }, { tier: 3 }),
  made(136, "no tier is 3", {}, { tier: 3 }),
  made(136, "tier 2", { tier: 2 }, { tier: 2 }),
  no(137, "a model of 101 characters", { ...managed, model: "m".repeat(101) }),
  no(137, "a model with a new line", { ...managed, model: "a\nb" }),
  no(
    138,
    "an unknown runtime names the known ones",
    { name: "conformance", runtime: "cobol" },
    { error: someText, known_runtimes: array },
  ),
  no(138, "a runtime of 101 characters", { name: "conformance", runtime: "r".repeat(101) }),
  rowOf("§3.4", 138)(
    "without one: the default",
    on(post("/workspaces", { name: "conformance" }), 201, {}, { save: { created: "id" } }),
    on(get("/workspaces/{created}"), 200, { runtime: "claude-code" }),
  ),
  made(
    139,
    "runtime external is the external path",
    { external: false, runtime: "external" },
    { runtime: "external" },
  ),
  no(139, "a url that must not be dialled", { ...external, url: "http://169.254.169.254/" }),
  no(139, "a url that is none", { ...external, url: "nonsense" }),
  no(140, "a relative folder", { ...managed, workspace_dir: "work" }),
  no(140, "a folder with ..", { ...managed, workspace_dir: "/srv/../etc" }),
  ...[
    "/etc",
    "/var/x",
    "/proc",
    "/sys",
    "/dev",
    "/boot",
    "/sbin",
    "/bin",
    "/lib",
    "/usr/local",
  ].map((dir) => no(140, `not under ${dir}`, { ...managed, workspace_dir: dir })),
  no(141, "read_only without a folder", { ...managed, workspace_access: "read_only" }),
  no(141, "read_write without a folder", { ...managed, workspace_access: "read_write" }),
  no(141, "another word", { ...managed, workspace_access: "all" }),
  yes(141, "none is the default and is said", managed, { workspace_access: "none" }),
  rowOf("§3.4", 142)(
    "a parent",
    on(
      post("/workspaces", { ...external, parent_id: "{lead}" }),
      201,
      {},
      { save: { created: "id" } },
    ),
    on(get("/workspaces/{created}"), 200, { parent_id: "{lead}" }),
  ),
  no(142, "an unknown parent", { ...external, parent_id: "{unknown}" }),
  no(142, "a parent that is no UUID", { ...external, parent_id: "x" }),
  made(143, "a budget", { budget_limit: 700 }, { budget_limit: 700 }),
  no(143, "a budget below nothing", { ...external, budget_limit: -1 }),
  rowOf("§3.4", 144)(
    "secrets are stored",
    on(
      post("/workspaces", { ...managed, secrets: { SOME_KEY: "v" } }),
      201,
      {},
      { save: { created: "id" } },
    ),
    on(
      get("/workspaces/{created}/secrets"),
      200,
      including({ key: "SOME_KEY", has_value: true, scope: "workspace" }),
    ),
  ),
  no(144, "a bad name of a secret fails the whole create", {
    ...managed,
    secrets: { "not a key": "v" },
  }),
  made(145, "max_concurrent_tasks", { max_concurrent_tasks: 4 }, { max_concurrent_tasks: 4 }),
  made(145, "0 is 1", { max_concurrent_tasks: 0 }, { max_concurrent_tasks: 1 }),
  made(145, "-5 is 1", { max_concurrent_tasks: -5 }, { max_concurrent_tasks: 1 }),
  made(146, "its place", { canvas: { x: 5, y: 6 } }, { x: 5, y: 6 }),
  rowOf("§3.4", 147)(
    "first memories are kept",
    on(
      post("/workspaces", { ...external, initial_memories: [{ content: "remember me" }] }),
      201,
      {},
      { save: { created: "id" } },
    ),
    on(
      get("/workspaces/{created}/memories"),
      200,
      including({ content: "remember me", scope: "LOCAL" }),
    ),
  ),
  yes(150, "the answer for a container", managed, {
    id: uuid,
    status: "provisioning",
    awareness_namespace: like(/^workspace:/),
    workspace_access: "none",
  }),
  rowOf("§3.4", 151)(
    "with url: online",
    on(post("/workspaces", { ...external, url: "{agent}/echo" }), 201, {
      id: uuid,
      external: true,
      status: "online",
    }),
  ),
  yes(152, "without url", external, { id: uuid, external: true, status: "awaiting_agent" }),
  ...(
    [
      ["workspace_id", uuid],
      ["platform_url", like(/^https?:\/\//)],
      ["auth_token", token43],
      ["registry_endpoint", like(/\/registry\/register$/)],
      ["heartbeat_endpoint", like(/\/registry\/heartbeat$/)],
      ["curl_register_template", like(/curl/)],
      ["python_snippet", like(/import/)],
      ["universal_mcp_snippet", someText],
    ] as const
  ).map(([field, shape]) =>
    yes(152, `the connection has ${field}`, external, { connection: { [field]: shape } }),
  ),
  rowOf("§3.4", 152)(
    "the token is shown once",
    on(get("/workspaces/{fresh}"), 200, { auth_token: absent, connection: absent }),
  ),
  no(153, "a body that is no object", []),
  rowOf("§3.4", 155)(
    "the model is kept",
    on(
      post("/workspaces", { ...managed, model: "anthropic/claude-x" }),
      201,
      {},
      { save: { created: "id" } },
    ),
    on(get("/workspaces/{created}/model"), 200, {
      model: "anthropic/claude-x",
      source: "workspace_secrets",
    }),
  ),
  rowOf("§3.4", 155)(
    "and its provider when it is known",
    on(
      post("/workspaces", { ...managed, model: "deepseek/chat" }),
      201,
      {},
      { save: { created: "id" } },
    ),
    on(get("/workspaces/{created}/provider"), 200, { provider: "deepseek" }),
  ),
  rowOf("§3.4", 157)(
    "deleting revokes at once",
    on(del("/workspaces/{fresh}?confirm=true"), 200),
    on(beat({}), 410, refused),
  ),
  rowOf("§3.4", 157)(
    "nothing late brings it back",
    on(del("/workspaces/{fresh}?confirm=true"), 200),
    on(
      post(
        "/registry/register",
        { id: "{fresh}", url: "", delivery_mode: "poll", agent_card: { name: "a" } },
        "fresh",
      ),
      410,
      refused,
    ),
    on(get("/workspaces/{fresh}"), 410),
  ),
];

const restart = (line: number) => rowOf("§4.1", line);
const again = (id: string, body: unknown, query = "") =>
  post(`/workspaces/${id}/restart${query}`, body);

const restarts = [
  restart(163)(
    "without a body",
    on({ method: "POST", path: "/workspaces/{freshManaged}/restart", as: "admin" }, 200, {
      config_dir: someText,
    }),
  ),
  restart(163)(
    "reset in the body",
    on(again("{freshManaged}", { reset: true }), 200, { reset_session: true }),
  ),
  restart(163)(
    "reset in the query",
    on(again("{freshManaged}", {}, "?reset=true"), 200, { reset_session: true }),
  ),
  restart(163)(
    "rebuild_config",
    on(again("{freshManaged}", { rebuild_config: true }), 200, { config_dir: someText }),
  ),
  restart(163)(
    "an unknown template is 400",
    on(again("{freshManaged}", { template: "no-such-template" }), 400, refused),
  ),
  restart(163)(
    "a reset that is no truth value is 400",
    on(again("{freshManaged}", { reset: "yes" }), 400, refused),
  ),
  restart(164)(
    "status, config_dir, reset_session",
    on(again("{freshManaged}", {}), 200, {
      status: oneOf("provisioning", "offline", "online", "failed"),
      config_dir: "existing-volume",
      reset_session: false,
    }),
  ),
  restart(164)(
    "the workspace may restart itself",
    on(post("/workspaces/{freshManaged}/restart", {}, "freshManaged"), 200, {
      config_dir: someText,
    }),
  ),
  restart(165)(
    "an external one: nothing, with an explanation",
    on(again("{fresh}", {}), 200, { message: someText }),
    isNow("online"),
  ),
  restart(165)(
    "its token stays",
    on(again("{fresh}", {}), 200),
    on(get("/workspaces/{fresh}/state", "fresh"), 200),
  ),
  restart(166)("404 for an unknown id", on(again("{unknown}", {}), 404, refused)),
  restart(166)("410 for a removed one", on(again("{removed}", {}), 410, refused)),
  restart(166)(
    "409 when one above is paused",
    on(get("/workspaces/{freshManagedChild}"), 200),
    on(post("/workspaces/{freshManaged}/pause", {}), 200),
    on(again("{freshManagedChild}", {}), 409, refused),
  ),
  rowOf("§4.2", 179)(
    "one click after the other: none is refused",
    on(again("{freshManaged}", {}), 200),
    on(again("{freshManaged}", {}), 200),
  ),
];

/** §3.4 and §4. */
export const creationCases: readonly ConformanceCase[] = [...creation, ...restarts];
