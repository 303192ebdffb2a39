import { type Call, type ConformanceCase, del, get, on, patch, post, rowOf } from "../case.ts";
import {
  absent,
  including,
  int,
  listOf,
  not,
  object,
  oneOf,
  orNull,
  type Shape,
  someText,
  text,
  time,
} from "../shape.ts";

const refused = { error: someText };
const S = "/workspaces/{fresh}/schedules";
const daily = {
  name: "daily",
  cron_expr: "0 9 * * *",
  timezone: "Europe/Berlin",
  prompt: "Good morning",
};
const made = on(
  post(S, daily),
  201,
  { id: someText, status: "created", next_run_at: time },
  { save: { sid: "id" } },
);
const shown = (shape: Shape) => on(get(S), 200, including({ id: "{sid}", ...(shape as object) }));
const changed = (body: object, shape: Shape) => [
  made,
  on(patch(`${S}/{sid}`, body), 200, { status: "updated" }),
  shown(shape),
];

const at = (line: number) => rowOf("§13", line);
const list = at(559);
const create = at(560);
const change = at(561);
const remove = at(562);
const run = at(563);
const history = at(564);
const health = at(565);

/** Source: §2.2 WorkspaceAuth. */
const ROUTES: readonly (readonly [string, (as: string | null) => Call])[] = [
  ["GET …/schedules", (as) => get("/workspaces/{lead}/schedules", as)],
  ["POST …/schedules", (as) => post("/workspaces/{lead}/schedules", daily, as)],
  [
    "PATCH …/schedules/:sid",
    (as) => patch("/workspaces/{lead}/schedules/{uuid}", { name: "x" }, as),
  ],
  ["DELETE …/schedules/:sid", (as) => del("/workspaces/{lead}/schedules/{uuid}", as)],
  ["POST …/schedules/:sid/run", (as) => post("/workspaces/{lead}/schedules/{uuid}/run", {}, as)],
  ["GET …/schedules/:sid/history", (as) => get("/workspaces/{lead}/schedules/{uuid}/history", as)],
];

/** §13. */
export const scheduleCases: readonly ConformanceCase[] = [
  ...ROUTES.flatMap(([name, route]) => [
    rowOf("§2.2", 51)(`${name} without a bearer`, on(route(null), 401, refused)),
    rowOf("§2.2", 51)(`${name} with a wrong bearer`, on(route("wrong"), 401, refused)),
    rowOf("§2.2", 51)(`${name} with another workspace's bearer`, on(route("other"), 401, refused)),
  ]),
  list("none is an empty list", on(get(S), 200, [])),
  list(
    "its fields",
    made,
    on(get(S), 200, [
      {
        id: "{sid}",
        workspace_id: "{fresh}",
        ...daily,
        enabled: true,
        last_run_at: null,
        next_run_at: time,
        run_count: 0,
        last_status: null,
        last_error: orNull(text),
        source: "runtime",
        created_at: time,
        updated_at: time,
      },
    ]),
  ),
  list("its own token may read", made, on(get(S, "fresh"), 200, [object])),
  list("404 for an unknown workspace", on(get("/workspaces/{unknown}/schedules"), 404, refused)),
  create("its answer", made),
  create("its own token may create", on(post(S, daily, "fresh"), 201, { status: "created" })),
  create(
    "UTC and on without a word",
    on(post(S, { cron_expr: "*/5 * * * *", prompt: "x" }), 201, {}, { save: { sid: "id" } }),
    shown({ timezone: "UTC", enabled: true }),
  ),
  create(
    "one that is off has no next time",
    on(
      post(S, { ...daily, enabled: false }),
      201,
      { next_run_at: oneOf(null, time) },
      { save: { sid: "id" } },
    ),
    shown({ enabled: false }),
  ),
  create(
    "two without a name",
    on(post(S, { cron_expr: "0 9 * * *", prompt: "x" }), 201),
    on(post(S, { cron_expr: "0 9 * * *", prompt: "x" }), 201),
  ),
  ...["", "every day", "* * * *", "61 * * * *", "0 25 * * *", "* * * * * * *"].map((cron) =>
    create(
      `the cron text “${cron}” is 400`,
      on(post(S, { ...daily, cron_expr: cron }), 400, refused),
    ),
  ),
  create("no cron text is 400", on(post(S, { prompt: "x" }), 400, refused)),
  create(
    "an unknown time zone is 400",
    on(post(S, { ...daily, timezone: "Mars/Olympus" }), 400, refused),
  ),
  create("no prompt is 400", on(post(S, { cron_expr: "0 9 * * *" }), 400, refused)),
  create(
    "an empty prompt is 400",
    on(post(S, { cron_expr: "0 9 * * *", prompt: "" }), 400, refused),
  ),
  create(
    "404 for an unknown workspace",
    on(post("/workspaces/{unknown}/schedules", daily), 404, refused),
  ),
  change("name", ...changed({ name: "weekly" }, { name: "weekly" })),
  change(
    "cron_expr",
    ...changed({ cron_expr: "0 8 * * 1" }, { cron_expr: "0 8 * * 1", next_run_at: time }),
  ),
  change("timezone", ...changed({ timezone: "Asia/Tokyo" }, { timezone: "Asia/Tokyo" })),
  change("prompt", ...changed({ prompt: "Good evening" }, { prompt: "Good evening" })),
  change("off", ...changed({ enabled: false }, { enabled: false })),
  change(
    "a bad cron text is 400",
    made,
    on(patch(`${S}/{sid}`, { cron_expr: "never" }), 400, refused),
  ),
  change(
    "a bad time zone is 400",
    made,
    on(patch(`${S}/{sid}`, { timezone: "Nowhere" }), 400, refused),
  ),
  change("404 for an unknown one", on(patch(`${S}/{uuid}`, { name: "x" }), 404, refused)),
  change(
    "another workspace's is 404",
    made,
    on(patch("/workspaces/{fresh2}/schedules/{sid}", { name: "x" }), 404, refused),
  ),
  remove(
    "its answer",
    made,
    on(del(`${S}/{sid}`), 200, { status: "deleted" }),
    on(get(S), 200, []),
  ),
  remove(
    "404 the second time",
    made,
    on(del(`${S}/{sid}`), 200),
    on(del(`${S}/{sid}`), 404, refused),
  ),
  run(
    "its answer",
    made,
    on(post(`${S}/{sid}/run`, {}), 200, {
      status: "fired",
      workspace_id: "{fresh}",
      prompt: "Good morning",
    }),
  ),
  run("404 for an unknown one", on(post(`${S}/{uuid}/run`, {}), 404, refused)),
  history("none is an empty list", made, on(get(`${S}/{sid}/history`), 200, [])),
  history(
    "its fields",
    made,
    on(post(`${S}/{sid}/run`, {}), 200),
    on(
      get(`${S}/{sid}/history`),
      200,
      listOf({
        timestamp: time,
        duration_ms: orNull(int),
        status: someText,
        error_detail: orNull(text),
        request: object,
      }),
    ),
  ),
  history("404 for an unknown one", on(get(`${S}/{uuid}/history`), 404, refused)),
  health(
    "without the prompt",
    made,
    on(get(`${S}/health`), 200, [{ id: "{sid}", prompt: absent, cron_expr: "0 9 * * *" }]),
  ),
  health(
    "a peer may look",
    on(
      get("/workspaces/{member}/schedules/health", "peer", { "x-workspace-id": "{peer}" }),
      200,
      not(refused),
    ),
  ),
  health(
    "a stranger may not",
    on(
      get("/workspaces/{member}/schedules/health", "stranger", { "x-workspace-id": "{stranger}" }),
      403,
      refused,
    ),
  ),
  health(
    "a forged caller may not",
    on(
      get("/workspaces/{member}/schedules/health", null, { "x-workspace-id": "system:cron" }),
      [401, 403],
      refused,
    ),
  ),
  health(
    "nobody without a credential",
    on(get("/workspaces/{member}/schedules/health", null), 401, refused),
  ),
];
