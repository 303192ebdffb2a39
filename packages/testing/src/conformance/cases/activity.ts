import { type ConformanceCase, del, get, message, on, post, rowOf } from "../case.ts";
import {
  absent,
  including,
  int,
  like,
  listOf,
  not,
  object,
  ofLength,
  orAbsent,
  orNull,
  type Shape,
  someText,
  text,
  time,
  uuid,
} from "../shape.ts";

const refused = { error: someText };
const notify = (body: unknown) => post("/workspaces/{fresh}/notify", body, "fresh");
const report = (body: unknown) => post("/workspaces/{fresh}/activity", body, "fresh");
const rows = (query: string, shape: Shape) =>
  on(get(`/workspaces/{fresh}/activity${query}`, "fresh"), 200, shape);
const file = { uri: "workspace:/workspace/a.txt", name: "a.txt" };

const say = (line: number) => rowOf("§8.1", line);
const notices = [
  say(392)("no message", on(notify({}), 400, refused)),
  say(392)("a message that is no text", on(notify({ message: 5 }), 400, refused)),
  say(392)(
    "attachments that are no list",
    on(notify({ message: "x", attachments: file }), 400, refused),
  ),
  say(392)(
    "an attachment with all its fields",
    on(notify({ message: "x", attachments: [{ ...file, mimeType: "text/plain", size: 5 }] }), 200, {
      status: "sent",
    }),
  ),
  say(393)("its answer", on(notify({ message: "hello" }), 200, { status: "sent" })),
  say(394)(
    "an attachment without uri names its place",
    on(notify({ message: "x", attachments: [file, { name: "b" }] }), 400, { error: like(/1/) }),
  ),
  say(394)(
    "an attachment without name",
    on(notify({ message: "x", attachments: [{ uri: "workspace:/a" }] }), 400, { error: like(/0/) }),
  ),
  say(394)(
    "an empty uri",
    on(notify({ message: "x", attachments: [{ uri: "", name: "a" }] }), 400, refused),
  ),
  say(394)(
    "an empty name",
    on(notify({ message: "x", attachments: [{ uri: "workspace:/a", name: "" }] }), 400, refused),
  ),
  say(394)(
    "nothing of a refused message is stored",
    on(notify({ message: "half", attachments: [file, {}] }), 400),
    rows("", not(including({ method: "notify" }))),
  ),
  say(395)(
    "404 or 401 for an unknown workspace",
    on(post("/workspaces/{unknown}/notify", { message: "x" }), 404, refused),
  ),
  say(395)(
    "a removed workspace",
    on(post("/workspaces/{removed}/notify", { message: "x" }, "removed"), [401, 404, 410], refused),
  ),
  say(397)(
    "stored before it is answered",
    on(notify({ message: "kept" }), 200),
    rows(
      "",
      including({
        activity_type: "a2a_receive",
        source_id: null,
        method: "notify",
        response_body: { result: "kept" },
        summary: "Agent message: kept",
        status: "ok",
      }),
    ),
  ),
  say(397)(
    "no request body",
    on(notify({ message: "kept" }), 200),
    rows("", including({ method: "notify", request_body: orAbsent(null) })),
  ),
  say(397)(
    "the summary has the first 80 characters",
    on(notify({ message: "z".repeat(200) }), 200),
    rows("", including({ summary: `Agent message: ${"z".repeat(80)}` })),
  ),
  say(397)(
    "files as parts",
    on(
      notify({ message: "see", attachments: [{ ...file, mimeType: "text/plain", size: 5 }] }),
      200,
    ),
    rows(
      "",
      including({
        response_body: {
          result: "see",
          parts: [{ kind: "file", file: { ...file, mimeType: "text/plain", size: 5 } }],
        },
      }),
    ),
  ),
  say(397)(
    "fields that were not sent are not there",
    on(notify({ message: "see", attachments: [file] }), 200),
    rows(
      "",
      including({ response_body: { parts: [{ file: { mimeType: absent, size: absent } }] } }),
    ),
  ),
  say(399)(
    "a notice without a message is refused and does no harm",
    on(notify({ type: "delegation_complete", task_id: "t" }), 400, refused),
    rows("?type=a2a_receive", []),
  ),
];

const tell = (line: number) => rowOf("§8.2", line);
const reports = [
  ...[
    "a2a_send",
    "a2a_receive",
    "task_update",
    "agent_log",
    "skill_promotion",
    "memory_write",
    "error",
  ].map((type) =>
    tell(404)(
      type,
      on(report({ activity_type: type }), 200, { status: "logged" }),
      rows(`?type=${type}`, [{ activity_type: type }]),
    ),
  ),
  tell(404)("no type", on(report({}), 400, refused)),
  tell(404)("a type of the server's own", on(report({ activity_type: "cron_run" }), 400, refused)),
  tell(404)("an unknown type", on(report({ activity_type: "gossip" }), 400, refused)),
  tell(405)(
    "method, summary and error_detail",
    on(report({ activity_type: "error", method: "m", summary: "s", error_detail: "d" }), 200),
    rows("", including({ method: "m", summary: "s", error_detail: "d" })),
  ),
  tell(406)(
    "an empty source is the workspace",
    on(report({ activity_type: "agent_log", source_id: "" }), 200),
    rows("", including({ source_id: "{fresh}" })),
  ),
  tell(406)(
    "no source is the workspace",
    on(report({ activity_type: "agent_log" }), 200),
    rows("", including({ source_id: "{fresh}" })),
  ),
  tell(406)("its own id", on(report({ activity_type: "agent_log", source_id: "{fresh}" }), 200)),
  tell(406)(
    "another's id",
    on(report({ activity_type: "agent_log", source_id: "{lead}" }), 403, refused),
  ),
  tell(407)(
    "the target",
    on(report({ activity_type: "a2a_send", target_id: "{lead}" }), 200),
    rows("", including({ target_id: "{lead}" })),
  ),
  tell(408)(
    "ok without a status",
    on(report({ activity_type: "agent_log" }), 200),
    rows("", including({ activity_type: "agent_log", status: "ok" })),
  ),
  tell(408)(
    "error",
    on(report({ activity_type: "agent_log", status: "error" }), 200),
    rows("", including({ activity_type: "agent_log", status: "error" })),
  ),
  tell(409)(
    "the duration",
    on(report({ activity_type: "task_update", duration_ms: 1500 }), 200),
    rows("", including({ duration_ms: 1500 })),
  ),
  tell(409)(
    "a duration in text",
    on(report({ activity_type: "task_update", duration_ms: "long" }), 400, refused),
  ),
  tell(410)(
    "both bodies",
    on(report({ activity_type: "a2a_send", request_body: { q: [1] }, response_body: "done" }), 200),
    rows("", including({ request_body: { q: [1] }, response_body: "done" })),
  ),
  tell(411)(
    "metadata stands for a request",
    on(report({ activity_type: "agent_log", metadata: { step: 3 } }), 200),
    rows("", including({ request_body: { step: 3 } })),
  ),
  tell(411)(
    "a request wins over metadata",
    on(report({ activity_type: "agent_log", request_body: { r: 1 }, metadata: { step: 3 } }), 200),
    rows("", including({ request_body: { r: 1 } })),
  ),
  tell(413)(
    "an unknown workspace",
    on(post("/workspaces/{unknown}/activity", { activity_type: "agent_log" }), 404, refused),
  ),
  tell(413)(
    "another's bearer",
    on(post("/workspaces/{fresh}/activity", { activity_type: "agent_log" }, "lead"), 401, refused),
  ),
];

const seed = (...summaries: readonly string[]) =>
  summaries.map((summary) => on(report({ activity_type: "agent_log", summary }), 200));
const find = (line: number) => rowOf("§8.3", line);
const reads = [
  find(418)(
    "one type alone",
    on(report({ activity_type: "error" }), 200),
    ...seed("a"),
    rows("?type=error", [{ activity_type: "error" }]),
  ),
  find(419)(
    "canvas: nobody's rows",
    on(notify({ message: "x" }), 200),
    ...seed("a"),
    rows("?source=canvas", listOf({ source_id: null })),
  ),
  find(419)(
    "agent: somebody's rows",
    on(notify({ message: "x" }), 200),
    ...seed("a"),
    rows("?source=agent", [{ source_id: "{fresh}" }]),
  ),
  find(419)(
    "another source",
    on(get("/workspaces/{fresh}/activity?source=moon", "fresh"), 400, refused),
  ),
  find(420)("a limit", ...seed("a", "b", "c"), rows("?limit=2", ofLength(2))),
  find(420)(
    "an unreadable limit is the default",
    ...seed("a", "b"),
    rows("?type=agent_log&limit=many", ofLength(2)),
  ),
  find(420)(
    "a limit of 0 is the default",
    ...seed("a", "b"),
    rows("?type=agent_log&limit=0", ofLength(2)),
  ),
  find(420)(
    "a limit below 0 is the default",
    ...seed("a", "b"),
    rows("?type=agent_log&limit=-1", ofLength(2)),
  ),
  find(420)(
    "a limit over 500 is no error",
    ...seed("a"),
    rows("?type=agent_log&limit=9999", ofLength(1)),
  ),
  find(421)("the last seconds", ...seed("a"), rows("?type=agent_log&since_secs=600", ofLength(1))),
  find(421)(
    "0 seconds",
    on(get("/workspaces/{fresh}/activity?since_secs=0", "fresh"), 400, refused),
  ),
  find(421)(
    "seconds below 0",
    on(get("/workspaces/{fresh}/activity?since_secs=-5", "fresh"), 400, refused),
  ),
  find(421)(
    "seconds in words",
    on(get("/workspaces/{fresh}/activity?since_secs=soon", "fresh"), 400, refused),
  ),
  find(421)(
    "more than 30 days is cut",
    ...seed("a"),
    rows("?type=agent_log&since_secs=99999999", ofLength(1)),
  ),
  find(422)(
    "strictly earlier rows",
    ...seed("a"),
    on(get("/workspaces/{fresh}/activity", "fresh"), 200, {}, { save: { at: "0.created_at" } }),
    rows("?type=agent_log&before_ts={at}", []),
  ),
  find(422)(
    "all rows before a later time",
    ...seed("a"),
    rows("?type=agent_log&before_ts=2999-01-01T00:00:00Z", ofLength(1)),
  ),
  find(422)(
    "a time that is none",
    on(get("/workspaces/{fresh}/activity?before_ts=yesterday", "fresh"), 400, refused),
  ),
  find(422)(
    "a day is no time",
    on(get("/workspaces/{fresh}/activity?before_ts=2026-01-01", "fresh"), 400, refused),
  ),
  find(423)(
    "rows with a peer",
    on(report({ activity_type: "a2a_send", target_id: "{lead}" }), 200),
    ...seed("a"),
    rows("?peer_id={lead}", [{ target_id: "{lead}" }]),
  ),
  find(423)(
    "a peer that is no UUID",
    on(get("/workspaces/{fresh}/activity?peer_id=x", "fresh"), 400, refused),
  ),
  find(424)(
    "rows after a row, oldest first",
    ...seed("a"),
    on(get("/workspaces/{fresh}/activity", "fresh"), 200, {}, { save: { cursor: "0.id" } }),
    ...seed("b", "c"),
    rows("?since_id={cursor}", [{ summary: "b" }, { summary: "c" }]),
  ),
  find(424)(
    "without it newest first",
    ...seed("a", "b"),
    rows("?type=agent_log", [{ summary: "b" }, { summary: "a" }]),
  ),
  find(424)(
    "nothing is skipped in a burst",
    ...seed("0"),
    on(get("/workspaces/{fresh}/activity", "fresh"), 200, {}, { save: { cursor: "0.id" } }),
    ...seed("1", "2", "3", "4", "5", "6"),
    rows("?since_id={cursor}&limit=3", [{ summary: "1" }, { summary: "2" }, { summary: "3" }]),
  ),
  find(424)(
    "an unknown row is 410",
    on(get("/workspaces/{fresh}/activity?since_id={unknown}", "fresh"), 410, refused),
  ),
  find(424)(
    "another workspace's row is 410",
    ...seed("a"),
    on(get("/workspaces/{fresh}/activity", "fresh"), 200, {}, { save: { cursor: "0.id" } }),
    on(get("/workspaces/{fresh2}/activity?since_id={cursor}", "fresh2"), 410, refused),
  ),
  find(426)(
    "filters combine",
    on(report({ activity_type: "error", target_id: "{lead}" }), 200),
    on(report({ activity_type: "a2a_send", target_id: "{lead}" }), 200),
    rows("?type=error&peer_id={lead}", [{ activity_type: "error" }]),
  ),
  find(426)(
    "the fields of a row",
    ...seed("a"),
    rows("?type=agent_log", [
      {
        id: uuid,
        workspace_id: "{fresh}",
        activity_type: "agent_log",
        source_id: "{fresh}",
        target_id: orNull(uuid),
        method: orNull(text),
        summary: "a",
        duration_ms: orNull(int),
        status: "ok",
        error_detail: orNull(text),
        created_at: time,
      },
    ]),
  ),
  find(426)(
    "bodies only where there are some",
    ...seed("a"),
    rows("?type=agent_log", [{ request_body: absent, response_body: absent, tool_trace: absent }]),
  ),
  find(430)(
    "the wheel's inbox",
    on(post("/workspaces/{fresh}/a2a", message("for the inbox")), 200),
    rows("?type=a2a_receive&since_secs=600", [
      { id: uuid, activity_type: "a2a_receive", request_body: object },
    ]),
  ),
  find(430)(
    "the wheel's history of a peer",
    on(post("/workspaces/{fresh}/a2a", message("from a peer"), "lead"), 200),
    rows("?peer_id={lead}&limit=50", including({ source_id: "{lead}" })),
  ),
  find(430)(
    "the canvas's chat",
    on(post("/workspaces/{fresh}/a2a", message("from a person")), 200),
    on(notify({ message: "to the person" }), 200),
    rows("?type=a2a_receive&source=canvas&limit=50", ofLength(2)),
  ),
  find(430)(
    "the canvas's agent talk",
    on(post("/workspaces/{fresh}/a2a", message("x"), "lead"), 200),
    rows("?source=agent&limit=50", listOf({ source_id: "{lead}" })),
  ),
  find(415)("an unknown workspace", on(get("/workspaces/{unknown}/activity"), 404, refused)),
];

export const activityCases: readonly ConformanceCase[] = [
  ...notices,
  ...reports,
  ...reads,
  say(395)(
    "after removal nothing is taken",
    on(del("/workspaces/{fresh}?confirm=true"), 200),
    on(notify({ message: "late" }), [401, 404, 410], refused),
  ),
];
