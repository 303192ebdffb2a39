import { type ConformanceCase, del, get, on, post, program, rowOf } from "../case.ts";
import { readEvents } from "../event-socket.ts";
import {
  array,
  including,
  int,
  listOf,
  not,
  object,
  orNull,
  present,
  type Shape,
  someText,
  text,
  time,
  uuid,
} from "../shape.ts";

const _refused = { error: someText };
const socket = (
  line: number,
  title: string,
  expects: string,
  run: NonNullable<ConformanceCase["custom"]>["run"],
) => program("§16.1", line, { title, sends: "GET /ws", expects, run });
const told = (
  line: number,
  event: string,
  payload: Shape,
  ...steps: readonly ReturnType<typeof on>[]
) => toldAs(event, { line, event, payload }, ...steps);

const toldAs = (
  title: string,
  { line, event, payload }: { line: number; event: string; payload: Shape },
  ...steps: readonly ReturnType<typeof on>[]
) =>
  program("§16.3", line, {
    title,
    sends: `GET /ws, then ${steps.map(({ call }) => `${call.method} ${call.path}`).join(", ")}`,
    expects: `${event} with its payload`,
    run: async (scope) => {
      const id = await scope.fill("{fresh}");
      const events = await readEvents(scope, { as: "admin" });
      try {
        for (const step of steps) await scope.run(step);
        await events.until({ event, workspace_id: id, timestamp: time, payload });
      } finally {
        events.close();
      }
    },
  });

const beat = (body: object) =>
  on(post("/registry/heartbeat", { workspace_id: "{fresh}", ...body }, "fresh"), 200);
const events = [
  socket(609, "four fields", "{event, workspace_id, timestamp, payload}", async (scope) => {
    const id = await scope.fill("{fresh}");
    const events = await readEvents(scope, { as: "admin" });
    try {
      await scope.run(beat({ current_task: "reading" }));
      await events.until({ event: someText, workspace_id: id, timestamp: time, payload: object });
    } finally {
      events.close();
    }
  }),
  socket(609, "what a client says is ignored", "the stream goes on", async (scope) => {
    const id = await scope.fill("{fresh}");
    const events = await readEvents(scope, { as: "admin" });
    try {
      events.say("hello?");
      await scope.run(beat({ current_task: "still here" }));
      await events.until({ event: "TASK_UPDATED", workspace_id: id });
    } finally {
      events.close();
    }
  }),
  socket(610, "no credential, no stream", "401", async (scope) => {
    await expectRefusal(scope, { as: null }, 401);
  }),
  socket(611, "a wrong bearer", "401", async (scope) => {
    await expectRefusal(
      scope,
      { as: "wrong", headers: { "x-workspace-id": await scope.fill("{lead}") } },
      401,
    );
  }),
  socket(611, "another's bearer", "401", async (scope) => {
    await expectRefusal(
      scope,
      { as: "other", headers: { "x-workspace-id": await scope.fill("{lead}") } },
      401,
    );
  }),
  socket(611, "a workspace hears those it may speak to", "its sibling's events", async (scope) => {
    const peer = await scope.fill("{freshChild}");
    await scope.fill("{freshChild2}");
    const events = await readEvents(scope, { as: "freshChild2" });
    try {
      await scope.run(
        on(
          post(
            "/registry/update-card",
            { workspace_id: "{freshChild}", agent_card: { name: "heard" } },
            "freshChild",
          ),
          200,
        ),
      );
      await events.until({ event: "AGENT_CARD_UPDATED", workspace_id: peer });
    } finally {
      events.close();
    }
  }),
  socket(611, "a workspace hears nobody else", "no event of another tree", async (scope) => {
    const own = await scope.fill("{freshChild}");
    const foreign = await scope.fill("{stranger}");
    const events = await readEvents(scope, { as: "freshChild" });
    try {
      await scope.run(
        on(
          post(
            "/registry/update-card",
            { workspace_id: "{stranger}", agent_card: { name: "unheard" } },
            "stranger",
          ),
          200,
        ),
      );
      await scope.run(
        on(
          post(
            "/registry/update-card",
            { workspace_id: "{freshChild}", agent_card: { name: "heard" } },
            "freshChild",
          ),
          200,
        ),
      );
      await events.until({ event: "AGENT_CARD_UPDATED", workspace_id: own });
      if (events.seen().some((one) => one.workspace_id === foreign))
        throw new Error("it heard a stranger");
    } finally {
      events.close();
    }
  }),
  rowOf("§16.1", 615)(
    "GET /events",
    on(
      get("/events"),
      200,
      listOf({
        id: present,
        event_type: someText,
        workspace_id: orNull(someText),
        payload: object,
        created_at: time,
      }),
    ),
  ),
  rowOf("§16.1", 615)(
    "GET /events/:id is one workspace's",
    beat({ current_task: "logged" }),
    on(get("/events/{fresh}"), 200, listOf({ workspace_id: "{fresh}" })),
  ),
  rowOf("§16.1", 615)("newest first, 100 at most", on(get("/events"), 200, array)),
  rowOf("§16.2", 619)(
    "a task is not logged as an event of beats",
    beat({}),
    on(get("/events/{fresh}"), 200, not(including({ event_type: "WORKSPACE_HEARTBEAT" }))),
  ),
  told(
    625,
    "WORKSPACE_ONLINE",
    { url: text, agent_card: object },
    on(
      post(
        "/registry/register",
        { id: "{fresh}", url: "", delivery_mode: "poll", agent_card: { name: "n" } },
        "fresh",
      ),
      200,
    ),
  ),
  told(
    627,
    "WORKSPACE_DEGRADED",
    { error_rate: 0.7, sample_error: "x" },
    beat({ error_rate: 0.7, sample_error: "x" }),
  ),
  told(632, "WORKSPACE_REMOVED", object, on(del("/workspaces/{fresh}?confirm=true"), 200)),
  told(
    633,
    "AGENT_CARD_UPDATED",
    { agent_card: { name: "n" } },
    on(
      post(
        "/registry/update-card",
        { workspace_id: "{fresh}", agent_card: { name: "n" } },
        "fresh",
      ),
      200,
    ),
  ),
  told(
    634,
    "TASK_UPDATED",
    { current_task: "reading", active_tasks: 1 },
    beat({ current_task: "reading", active_tasks: 1 }),
  ),
  told(
    635,
    "WORKSPACE_HEARTBEAT",
    { active_tasks: int, uptime_seconds: int },
    beat({ active_tasks: 0 }),
  ),
  told(
    636,
    "ACTIVITY_LOGGED",
    { activity_type: "agent_log", summary: "s", status: "ok" },
    on(
      post("/workspaces/{fresh}/activity", { activity_type: "agent_log", summary: "s" }, "fresh"),
      200,
    ),
  ),
  toldAs(
    "ACTIVITY_LOGGED of a delegation has its words for a status",
    {
      line: 636,
      event: "ACTIVITY_LOGGED",
      payload: { activity_type: "delegation", method: "delegate", status: "completed" },
    },
    on(post("/workspaces/{fresh}/delegate", { target_id: "{push-echo}", task: "x" }, "fresh"), 202),
  ),
  told(
    637,
    "AGENT_MESSAGE",
    { message: "hello", workspace_id: uuid, name: someText },
    on(post("/workspaces/{fresh}/notify", { message: "hello" }, "fresh"), 200),
  ),
  told(
    639,
    "DELEGATION_SENT",
    { delegation_id: someText, target_id: uuid, task_preview: "x" },
    on(post("/workspaces/{fresh}/delegate", { target_id: "{push-echo}", task: "x" }, "fresh"), 202),
  ),
  told(
    641,
    "DELEGATION_COMPLETE",
    { delegation_id: someText, response_preview: text },
    on(post("/workspaces/{fresh}/delegate", { target_id: "{push-echo}", task: "x" }, "fresh"), 202),
  ),
  told(
    642,
    "DELEGATION_FAILED",
    { delegation_id: someText, error: someText },
    on(
      post("/workspaces/{fresh}/delegate", { target_id: "{push-fails}", task: "x" }, "fresh"),
      202,
    ),
  ),
];

async function expectRefusal(
  scope: Parameters<typeof readEvents>[0],
  how: Parameters<typeof readEvents>[1],
  status: number,
): Promise<void> {
  const outcome = await readEvents(scope, how).then(
    (events) => {
      events.close();
      return "it was opened";
    },
    (error: unknown) => String(error),
  );
  if (!outcome.includes(`refused with ${status}`)) throw new Error(`${outcome}, not ${status}`);
}

/** §16. */
export const eventCases: readonly ConformanceCase[] = events;
