import { type ConformanceCase, del, get, on, post, rowOf } from "../case.ts";
import { atLeast, including, oneOf, type Shape, someText, token43 } from "../shape.ts";

const refused = { error: someText };
const beat = (body: object, as = "fresh") =>
  post("/registry/heartbeat", { workspace_id: `{${as}}`, ...body }, as);
const row = (shape: Shape, as = "fresh") =>
  on(get(`/workspaces/{${as}}`), 200, shape, { within: 5000 });

const heartbeat = (line: number) => rowOf("§5.4", line);
const beats = [
  heartbeat(234)(
    "no workspace_id",
    on(post("/registry/heartbeat", { active_tasks: 0 }, "fresh"), 400, refused),
  ),
  heartbeat(235)(
    "error_rate is stored",
    on(beat({ error_rate: 0.25 }), 200),
    row({ last_error_rate: 0.25 }),
  ),
  heartbeat(235)("error_rate in text", on(beat({ error_rate: "high" }), 400, refused)),
  heartbeat(236)(
    "sample_error is stored",
    on(beat({ sample_error: "it broke" }), 200),
    on(get("/workspaces"), 200, including({ id: "{fresh}", last_sample_error: "it broke" })),
  ),
  heartbeat(237)(
    "active_tasks is stored",
    on(beat({ active_tasks: 2 }), 200),
    row({ active_tasks: 2 }),
  ),
  heartbeat(237)("a negative number", on(beat({ active_tasks: -1 }), 400, refused)),
  heartbeat(238)(
    "uptime_seconds is stored",
    on(beat({ uptime_seconds: 1234 }), 200),
    row({ uptime_seconds: atLeast(1234) }),
  ),
  heartbeat(239)(
    "current_task is stored",
    on(beat({ current_task: "reading" }), 200),
    on(get("/workspaces"), 200, including({ id: "{fresh}", current_task: "reading" })),
  ),
  heartbeat(239)(
    "an empty one clears it",
    on(beat({ current_task: "reading" }), 200),
    on(beat({ current_task: "" }), 200),
    on(get("/workspaces"), 200, including({ id: "{fresh}", current_task: "" })),
  ),
  heartbeat(240)(
    "monthly_spend is stored",
    on(beat({ monthly_spend: 42 }), 200),
    on(get("/workspaces"), 200, including({ id: "{fresh}", monthly_spend: 42 })),
  ),
  heartbeat(240)(
    "0 is no update",
    on(beat({ monthly_spend: 42 }), 200),
    on(beat({ monthly_spend: 0 }), 200),
    on(get("/workspaces"), 200, including({ id: "{fresh}", monthly_spend: 42 })),
  ),
  heartbeat(240)(
    "too much is cut",
    on(beat({ monthly_spend: 1e15 }), 200),
    on(
      get("/workspaces"),
      200,
      including({ id: "{fresh}", monthly_spend: oneOf(2_147_483_647, 1_000_000_000_000) }),
    ),
  ),
  heartbeat(240)(
    "below nothing is cut to no update",
    on(beat({ monthly_spend: -5 }), 200),
    on(get("/workspaces"), 200, including({ id: "{fresh}", monthly_spend: 0 })),
  ),
  heartbeat(241)("wedged", on(beat({ runtime_state: "wedged" }), 200), row({ status: "degraded" })),
  heartbeat(241)(
    "another word is not wedged",
    on(beat({ runtime_state: "busy" }), 200),
    row({ status: "online" }),
  ),
  heartbeat(242)(
    "capabilities",
    on(beat({ runtime_metadata: { capabilities: { session: true, scheduler: false } } }), 200),
  ),
  heartbeat(242)(
    "an idle timeout",
    on(beat({ runtime_metadata: { idle_timeout_seconds: 600 } }), 200),
  ),
  heartbeat(242)(
    "an idle timeout of 0",
    on(beat({ runtime_metadata: { idle_timeout_seconds: 0 } }), 200),
  ),
  heartbeat(242)("empty metadata", on(beat({ runtime_metadata: {} }), 200)),
  heartbeat(244)(
    "a capability nobody knows yet",
    on(beat({ runtime_metadata: { capabilities: { telepathy: true } } }), 200),
  ),
  heartbeat(255)(
    "its answer",
    on(beat({}), 200, { status: "ok", platform_inbound_secret: token43 }),
  ),
  heartbeat(255)(
    "the wheel's body",
    on(
      beat({
        error_rate: 0,
        sample_error: "",
        active_tasks: 0,
        uptime_seconds: 20,
        current_task: "",
      }),
      200,
      { status: "ok" },
    ),
  ),
  heartbeat(256)(
    "no bearer",
    on(post("/registry/heartbeat", { workspace_id: "{lead}" }, null), 401, refused),
  ),
  heartbeat(256)("no JSON", on(post("/registry/heartbeat", "nonsense", "fresh"), 400, refused)),
  heartbeat(257)(
    "410 for a removed workspace",
    on(post("/registry/heartbeat", { workspace_id: "{removed}" }, null), 410, {
      id: "{removed}",
      hint: someText,
    }),
  ),
  ...(
    [
      ["active_tasks", { active_tasks: 1 }, { active_tasks: 1 }],
      ["uptime_seconds", { uptime_seconds: 99 }, { uptime_seconds: atLeast(99) }],
      ["error_rate", { error_rate: 0.3 }, { last_error_rate: 0.3 }],
    ] as const
  ).map(([field, given, kept]) =>
    heartbeat(261)(
      `a side beat leaves ${field} as it was`,
      on(beat(given), 200),
      on(beat({ current_task: "x" }), 200),
      row(kept),
    ),
  ),
  heartbeat(248)(
    "session: what was said stays through a side beat, and a busy agent is not queued for",
    on(
      post(
        "/registry/heartbeat",
        {
          workspace_id: "{fresh-push-echo}",
          active_tasks: 1,
          runtime_metadata: { capabilities: { session: true } },
        },
        "fresh-push-echo",
      ),
      200,
    ),
    on(
      post(
        "/registry/heartbeat",
        { workspace_id: "{fresh-push-echo}", current_task: "x" },
        "fresh-push-echo",
      ),
      200,
    ),
    on(get("/workspaces/{fresh-push-echo}"), 200, { active_tasks: 1 }),
  ),
  heartbeat(259)(
    "a beat brings back nothing that was removed",
    on(del("/workspaces/{fresh}?confirm=true"), 200),
    on(beat({}), 410),
    on(get("/workspaces/{fresh}"), 410),
  ),
];

/** §5.4. */
export const heartbeatCases: readonly ConformanceCase[] = beats;
