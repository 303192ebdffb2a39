import { type ConformanceCase, del, get, on, patch, post, rowOf } from "../case.ts";
import {
  absent,
  array,
  atLeast,
  bool,
  including,
  int,
  number,
  object,
  ofLength,
  oneOf,
  orAbsent,
  orNull,
  type Shape,
  someText,
  text,
  time,
  uuid,
} from "../shape.ts";

const refused = { error: someText };
const STATUS = oneOf(
  "provisioning",
  "online",
  "degraded",
  "offline",
  "failed",
  "paused",
  "hibernating",
  "hibernated",
  "awaiting_agent",
);

/** §3.2, one row of the contract each; `list`: only there. */
const FIELDS: readonly (readonly [
  line: number,
  field: string,
  shape: Shape,
  where?: "list" | "one",
])[] = [
  [94, "id", uuid],
  [94, "name", someText],
  [95, "role", orNull(text)],
  [96, "tier", int],
  [97, "status", STATUS],
  [98, "agent_card", orNull(object)],
  [99, "url", text],
  [100, "parent_id", orNull(uuid)],
  [101, "active_tasks", int],
  [101, "max_concurrent_tasks", int],
  [101, "uptime_seconds", int],
  [102, "last_error_rate", number],
  [103, "last_sample_error", text, "list"],
  [104, "current_task", text, "list"],
  [105, "runtime", someText],
  [106, "workspace_dir", orNull(text), "list"],
  [107, "monthly_spend", int, "list"],
  [108, "budget_limit", orNull(int), "list"],
  [109, "x", number],
  [109, "y", number],
  [109, "collapsed", bool],
  [110, "provision_timeout_ms", orAbsent(int)],
  [111, "last_outbound_at", orNull(time), "one"],
];

const fields = FIELDS.flatMap(([line, field, shape, where]) => {
  const row = rowOf("§3.2", line);
  const inList = row(
    `list: ${field}`,
    on(get("/workspaces"), 200, including({ id: "{lead}", [field]: shape })),
  );
  const inOne = row(`one: ${field}`, on(get("/workspaces/{lead}"), 200, { [field]: shape }));
  if (where === "list") return [inList];
  return where === "one" ? [inOne] : [inList, inOne];
});

const beat = (body: object, as = "fresh") =>
  post("/registry/heartbeat", { workspace_id: `{${as}}`, ...body }, as);
const isNow = (status: string, id = "{fresh}") =>
  on(get(`/workspaces/${id}`), 200, { status }, { within: 5000 });

const at76 = rowOf("§3.1", 76);
const at77 = rowOf("§3.1", 77);
const online = rowOf("§3.1", 78);
const register = rowOf("§3.1", 79);
const degrade = rowOf("§3.1", 80);
const recover = rowOf("§3.1", 81);
const pause = rowOf("§3.1", 85);
const resume = rowOf("§3.1", 86);
const sleep = rowOf("§3.1", 87);
const gone = rowOf("§3.1", 89);

const transitions = [
  at76(
    "create of a managed workspace says provisioning",
    on(post("/workspaces", { name: "conformance", runtime: "{runtime}" }), 201, {
      status: "provisioning",
    }),
  ),
  at77(
    "create of an external one without url waits for its agent",
    isNow("awaiting_agent", "{freshAwaited}"),
  ),
  online(
    "the first beat of an external workspace",
    on(beat({}, "freshAwaited"), 200),
    isNow("online", "{freshAwaited}"),
  ),
  register(
    "register of an external workspace",
    on(
      post(
        "/registry/register",
        { id: "{freshAwaited}", url: "", delivery_mode: "poll", agent_card: { name: "a" } },
        "freshAwaited",
      ),
      200,
    ),
    isNow("online", "{freshAwaited}"),
  ),
  register(
    "register resumes nothing that is paused",
    on(post("/workspaces/{freshManaged}/pause", {}), 200),
    on(
      post(
        "/registry/register",
        { id: "{freshManaged}", url: "http://192.0.2.1:8000", agent_card: { name: "a" } },
        "freshManaged",
      ),
      [200, 409],
    ),
    isNow("paused", "{freshManaged}"),
  ),
  degrade(
    "an error rate of 0.5",
    on(beat({ error_rate: 0.5, sample_error: "x" }), 200),
    isNow("degraded"),
  ),
  degrade("an error rate of 1", on(beat({ error_rate: 1 }), 200), isNow("degraded")),
  degrade(
    "an error rate of 0.49 is not enough",
    on(beat({ error_rate: 0.49 }), 200),
    isNow("online"),
  ),
  degrade("a wedged runtime", on(beat({ runtime_state: "wedged" }), 200), isNow("degraded")),
  degrade(
    "an error rate changes nothing for a runtime with status_mgmt",
    on(beat({ runtime_metadata: { capabilities: { status_mgmt: true } } }), 200),
    on(beat({ error_rate: 0.9 }), 200),
    isNow("online"),
  ),
  degrade(
    "wedged counts with status_mgmt as well",
    on(
      beat({ runtime_state: "wedged", runtime_metadata: { capabilities: { status_mgmt: true } } }),
      200,
    ),
    isNow("degraded"),
  ),
  recover(
    "an error rate below 0.1",
    on(beat({ error_rate: 0.6 }), 200),
    on(beat({ error_rate: 0.05 }), 200),
    isNow("online"),
  ),
  recover(
    "an error rate of 0.3 is not enough",
    on(beat({ error_rate: 0.6 }), 200),
    on(beat({ error_rate: 0.3 }), 200),
    isNow("degraded"),
  ),
  recover(
    "a wedged runtime that says it is well",
    on(beat({ runtime_state: "wedged" }), 200),
    on(beat({ runtime_state: "", error_rate: 0 }), 200),
    isNow("online"),
  ),
  recover(
    "a side beat recovers no wedged runtime",
    on(beat({ runtime_state: "wedged" }), 200),
    on(beat({ current_task: "x", active_tasks: 1 }), 200),
    isNow("degraded"),
  ),
  pause(
    "pause",
    on(post("/workspaces/{freshManaged}/pause", {}), 200),
    isNow("paused", "{freshManaged}"),
  ),
  pause(
    "pause takes those below along",
    on(get("/workspaces/{freshManagedChild}"), 200),
    on(post("/workspaces/{freshManaged}/pause", {}), 200, { paused_count: 2 }),
    isNow("paused", "{freshManagedChild}"),
  ),
  resume(
    "resume",
    on(post("/workspaces/{freshManaged}/pause", {}), 200),
    on(post("/workspaces/{freshManaged}/resume", {}), 200, {
      status: "provisioning",
      resumed_count: 1,
    }),
    on(get("/workspaces/{freshManaged}"), 200, {
      status: oneOf("provisioning", "online", "offline", "failed"),
    }),
  ),
  resume(
    "resume takes those below along",
    on(get("/workspaces/{freshManagedChild}"), 200),
    on(post("/workspaces/{freshManaged}/pause", {}), 200),
    on(post("/workspaces/{freshManaged}/resume", {}), 200, { resumed_count: 2 }),
  ),
  sleep(
    "what is not running cannot sleep",
    on(post("/workspaces/{freshAwaited}/hibernate", {}), [404, 409], refused),
  ),
  gone(
    "delete",
    on(del("/workspaces/{fresh}?confirm=true"), 200, { status: "removed" }),
    on(get("/workspaces/{fresh}"), 410, refused),
  ),
];

const list = rowOf("§3.3", 118);
const one = rowOf("§3.3", 120);
const change = rowOf("§3.3", 121);
const remove = rowOf("§3.3", 122);
const state = rowOf("§3.3", 123);
const paused = rowOf("§3.3", 125);
const resumed = rowOf("§3.3", 126);
const slept = rowOf("§3.3", 127);
const budget = rowOf("§3.3", 128);
const changed = (body: object, after: Shape) => [
  on(patch("/workspaces/{fresh}", body), 200, { status: "updated" }),
  on(get("/workspaces/{fresh}"), 200, after),
];

const routes = [
  list("a list of rows", on(get("/workspaces"), 200, array)),
  list(
    "without what was removed",
    on(del("/workspaces/{fresh}?confirm=true"), 200),
    on(get("/workspaces/{fresh}"), 410),
  ),
  one("400 for text that is no UUID", on(get("/workspaces/x"), 400, refused)),
  one("404 for an unknown id", on(get("/workspaces/{unknown}"), 404, refused)),
  one(
    "410 with id, time and hint",
    on(get("/workspaces/{removed}"), 410, {
      error: someText,
      id: "{removed}",
      removed_at: orNull(time),
      hint: someText,
    }),
  ),
  one(
    "200 with include_removed",
    on(get("/workspaces/{removed}?include_removed=true"), 200, {
      id: "{removed}",
      status: "removed",
    }),
  ),
  change("name", ...changed({ name: "renamed" }, { name: "renamed" })),
  change("role", ...changed({ role: "tester" }, { role: "tester" })),
  change("tier", ...changed({ tier: 2 }, { tier: 2 })),
  change(
    "parent_id",
    on(patch("/workspaces/{fresh}", { parent_id: "{lead}" }), 200),
    on(get("/workspaces/{fresh}"), 200, { parent_id: "{lead}" }),
  ),
  change(
    "null clears parent_id",
    on(patch("/workspaces/{freshChild}", { parent_id: null }), 200),
    on(get("/workspaces/{freshChild}"), 200, { parent_id: null }),
  ),
  change("collapsed", ...changed({ collapsed: true }, { collapsed: true })),
  change("x and y", ...changed({ x: 12, y: 34 }, { x: 12, y: 34 })),
  change("x without y is 400", on(patch("/workspaces/{fresh}", { x: 1 }), 400, refused)),
  change(
    "workspace_dir says that a restart is needed",
    on(patch("/workspaces/{freshManaged}", { workspace_dir: "/srv/work" }), 200, {
      status: "updated",
      needs_restart: true,
    }),
  ),
  change(
    "null clears workspace_dir",
    on(patch("/workspaces/{freshManaged}", { workspace_dir: null }), 200, { needs_restart: true }),
  ),
  change(
    "a name says nothing of a restart",
    on(patch("/workspaces/{fresh}", { name: "conformance" }), 200, { needs_restart: absent }),
  ),
  change(
    "a closed workspace_dir is 400",
    on(patch("/workspaces/{freshManaged}", { workspace_dir: "/etc/x" }), 400, refused),
  ),
  change(
    "an unknown runtime is 400",
    on(patch("/workspaces/{freshManaged}", { runtime: "cobol" }), 400, refused),
  ),
  change(
    "a parent below itself is 400 or 409",
    on(get("/workspaces/{freshChild}"), 200),
    on(patch("/workspaces/{fresh}", { parent_id: "{freshChild}" }), [400, 409], refused),
  ),
  change(
    "an unknown parent is 400 or 404",
    on(patch("/workspaces/{fresh}", { parent_id: "{unknown}" }), [400, 404], refused),
  ),
  change("404 for an unknown id", on(patch("/workspaces/{unknown}", { name: "x" }), 404, refused)),
  change(
    "a name with YAML syntax is 400",
    on(patch("/workspaces/{fresh}", { name: "a: {b}" }), 400, refused),
  ),
  change(
    "its own token may change the name",
    on(patch("/workspaces/{fresh}", { name: "me" }, "fresh"), 200, { status: "updated" }),
  ),
  remove(
    "status and count",
    on(del("/workspaces/{fresh}?confirm=true"), 200, { status: "removed", cascade_deleted: 0 }),
  ),
  remove(
    "409 with its children",
    on(get("/workspaces/{freshChild}"), 200),
    on(del("/workspaces/{fresh}"), 409, {
      status: "confirmation_required",
      message: someText,
      children: including({ id: "{freshChild}", name: someText }),
      children_count: 1,
    }),
  ),
  remove(
    "nothing is removed without confirmation",
    on(get("/workspaces/{freshChild}"), 200),
    on(del("/workspaces/{fresh}"), 409),
    on(get("/workspaces/{fresh}"), 200, { id: "{fresh}" }),
  ),
  remove(
    "confirmed with what is below",
    on(get("/workspaces/{freshChild}"), 200),
    on(del("/workspaces/{fresh}?confirm=true"), 200, { cascade_deleted: 1 }),
    on(get("/workspaces/{freshChild}"), 410),
  ),
  remove(
    "without children no confirmation is needed",
    on(del("/workspaces/{fresh}"), 200, { status: "removed" }),
  ),
  remove(
    "purge",
    on(del("/workspaces/{fresh}?confirm=true&purge=true"), 200, {
      status: "purged",
      cascade_deleted: 0,
    }),
  ),
  remove("400 for text that is no UUID", on(del("/workspaces/x?confirm=true"), 400, refused)),
  remove("404 for an unknown id", on(del("/workspaces/{unknown}?confirm=true"), 404, refused)),
  state(
    "of a live workspace",
    on(get("/workspaces/{lead}/state", "lead"), 200, {
      workspace_id: "{lead}",
      status: STATUS,
      paused: false,
      deleted: false,
    }),
  ),
  state(
    "of a paused one",
    on(post("/workspaces/{freshManaged}/pause", {}), 200),
    on(get("/workspaces/{freshManaged}/state"), 200, { paused: true, status: "paused" }),
  ),
  state(
    "404 of a removed one",
    on(get("/workspaces/{removed}/state"), 404, {
      workspace_id: "{removed}",
      deleted: true,
      status: "removed",
    }),
  ),
  state("404 of an unknown one", on(get("/workspaces/{unknown}/state"), 404, { deleted: true })),
  paused(
    "its answer",
    on(post("/workspaces/{freshManaged}/pause", {}), 200, { status: "paused", paused_count: 1 }),
  ),
  paused(
    "404 when it is paused already",
    on(post("/workspaces/{freshManaged}/pause", {}), 200),
    on(post("/workspaces/{freshManaged}/pause", {}), 404, refused),
  ),
  paused("404 for an unknown id", on(post("/workspaces/{unknown}/pause", {}), 404, refused)),
  resumed(
    "404 when it is not paused",
    on(post("/workspaces/{freshManaged}/resume", {}), 404, refused),
  ),
  resumed(
    "409 when one above is paused",
    on(get("/workspaces/{freshManagedChild}"), 200),
    on(post("/workspaces/{freshManaged}/pause", {}), 200),
    on(post("/workspaces/{freshManagedChild}/resume", {}), 409, refused),
  ),
  resumed("404 for an unknown id", on(post("/workspaces/{unknown}/resume", {}), 404, refused)),
  slept(
    "404 when it is not running",
    on(post("/workspaces/{freshAwaited}/hibernate", {}), 404, refused),
  ),
  slept("404 for an unknown id", on(post("/workspaces/{unknown}/hibernate", {}), 404, refused)),
  budget(
    "without a limit",
    on(get("/workspaces/{fresh}/budget"), 200, {
      budget_limit: null,
      monthly_spend: 0,
      budget_remaining: null,
    }),
  ),
  budget(
    "a limit is set",
    on(patch("/workspaces/{fresh}/budget", { budget_limit: 500 }), 200, {
      budget_limit: 500,
      monthly_spend: 0,
      budget_remaining: 500,
    }),
  ),
  budget(
    "null takes it away",
    on(patch("/workspaces/{fresh}/budget", { budget_limit: 5 }), 200),
    on(patch("/workspaces/{fresh}/budget", { budget_limit: null }), 200, {
      budget_limit: null,
      budget_remaining: null,
    }),
  ),
  budget(
    "what was spent is taken off",
    on(patch("/workspaces/{fresh}/budget", { budget_limit: 500 }), 200),
    on(beat({ monthly_spend: 120 }), 200),
    on(get("/workspaces/{fresh}/budget", "fresh"), 200, {
      monthly_spend: 120,
      budget_remaining: 380,
    }),
  ),
  budget("the key is required", on(patch("/workspaces/{fresh}/budget", {}), 400, refused)),
  budget(
    "a negative limit is 400",
    on(patch("/workspaces/{fresh}/budget", { budget_limit: -1 }), 400, refused),
  ),
  budget(
    "a limit in text is 400",
    on(patch("/workspaces/{fresh}/budget", { budget_limit: "5" }), 400, refused),
  ),
  budget("404 for an unknown id", on(get("/workspaces/{unknown}/budget"), 404, refused)),
  budget(
    "a workspace does not raise its own",
    on(patch("/workspaces/{fresh}/budget", { budget_limit: 5 }, "fresh"), 401, refused),
  ),
];

const cards = rowOf("§3.2", 98);

export const workspaceCases: readonly ConformanceCase[] = [
  ...fields,
  cards(
    "the card is stored verbatim",
    on(
      post(
        "/registry/update-card",
        { workspace_id: "{fresh}", agent_card: { name: "n", odd: { deep: [1, null] } } },
        "fresh",
      ),
      200,
    ),
    on(get("/workspaces/{fresh}"), 200, { agent_card: { name: "n", odd: { deep: [1, null] } } }),
  ),
  rowOf("§3.2", 101)(
    "active_tasks follows the beat",
    on(beat({ active_tasks: 1, uptime_seconds: 77 }), 200),
    on(get("/workspaces/{fresh}"), 200, { active_tasks: 1, uptime_seconds: atLeast(77) }),
  ),
  ...transitions,
  ...routes,
  rowOf("§3.3", 118)(
    "ordered by creation",
    on(get("/workspaces"), 200, array),
    on(get("/workspaces/{lead}/delegations"), 200, ofLength(0)),
  ),
];
