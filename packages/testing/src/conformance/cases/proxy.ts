import {
  type ConformanceCase,
  del,
  get,
  message,
  on,
  patch,
  post,
  program,
  rowOf,
} from "../case.ts";
import {
  atLeast,
  including,
  int,
  like,
  listOf,
  not,
  object,
  ofLength,
  oneOf,
  orAbsent,
  present,
  type Shape,
  someText,
  time,
  uuid,
} from "../shape.ts";

const refused = { error: someText };
const to = (
  name: string,
  body: unknown = message("hello"),
  as = "admin",
  headers: Record<string, string> = {},
) => post(`/workspaces/{${name}}/a2a`, body, as, headers);
/** What the suite's agent was asked under the path of a workspace. */
const calls = (behaviour: string, shape: Shape) =>
  on(
    get(`{agent}/_calls?path=/${behaviour}/{fresh-push-${behaviour}}`, null),
    200,
    { calls: shape },
    { within: 10_000 },
  );

const request = (line: number) => rowOf("§6.1", line);
const requests = [
  request(278)(
    "a bare method and params are wrapped",
    on(
      to("fresh-push-echo", {
        method: "message/send",
        params: { message: { role: "user", parts: [{ kind: "text", text: "x" }] } },
      }),
      200,
    ),
    calls(
      "echo",
      including({ body: { jsonrpc: "2.0", id: present, method: "message/send", params: object } }),
    ),
  ),
  request(278)(
    "a whole call keeps its id",
    on(to("fresh-push-echo"), 200, { jsonrpc: "2.0", id: "1" }),
  ),
  request(278)("no method", on(to("lead", { jsonrpc: "2.0", id: 1, params: {} }), 400, refused)),
  request(278)(
    "unknown fields are forwarded",
    on(to("fresh-push-echo", { ...message("x"), extension: { a: 1 } }), 200),
    calls("echo", including({ body: { extension: { a: 1 } } })),
  ),
  request(279)(
    "a message without id gets one",
    on(to("fresh-push-echo"), 200),
    calls("echo", including({ body: { params: { message: { messageId: uuid } } } })),
  ),
  request(279)(
    "an id that is there stays",
    on(to("fresh-push-echo", message("x", { messageId: "{uuid}" })), 200),
    calls("echo", including({ body: { params: { message: { messageId: "{uuid}" } } } })),
  ),
  request(280)(
    "parts with kind",
    on(to("fresh-push-echo"), 200),
    calls(
      "echo",
      including({ body: { params: { message: { parts: [{ kind: "text", text: "hello" }] } } } }),
    ),
  ),
  request(280)(
    "parts with type are untouched",
    on(to("fresh-push-echo", message("", { parts: [{ type: "text", text: "typed" }] })), 200),
    calls(
      "echo",
      including({ body: { params: { message: { parts: [{ type: "text", text: "typed" }] } } } }),
    ),
  ),
  request(281)(
    "tasks/get passes",
    on(
      to("fresh-push-echo", { jsonrpc: "2.0", id: 7, method: "tasks/get", params: { id: "t" } }),
      200,
      { id: 7 },
    ),
  ),
  request(281)(
    "a method nobody knows passes",
    on(
      to("fresh-push-echo", { jsonrpc: "2.0", id: 8, method: "acme/extension", params: {} }),
      200,
      { id: 8 },
    ),
  ),
  request(281)(
    "message/stream passes as it comes",
    on(
      to("push-stream", { ...message("x"), method: "message/stream" }),
      200,
      like(/artifact-update/),
      { headers: { "content-type": like(/^text\/event-stream/) } },
    ),
  ),
  request(282)(
    "a body over 1 MB is 413",
    on(to("lead", message("x".repeat(1_100_000))), 413, refused),
  ),
  request(282)("a body just under it passes", on(to("lead", message("x".repeat(900_000))), 200)),
  request(283)("no JSON", on(to("lead", "{"), 400, refused)),
  request(283)(
    "no body",
    on({ method: "POST", path: "/workspaces/{lead}/a2a", as: "admin" }, 400, refused),
  ),
  request(283)("a list", on(to("lead", "[]"), 400, refused)),
];

const who = (line: number) => rowOf("§6.2", line);
const callers = [
  who(288)(
    "a workspace's bearer without the header is that workspace",
    on(to("fresh", message("from lead"), "lead"), 200),
    on(
      get("/workspaces/{fresh}/activity"),
      200,
      including({ source_id: "{lead}", method: "message/send" }),
    ),
  ),
  who(288)(
    "the administrator is a person",
    on(to("fresh"), 200),
    on(
      get("/workspaces/{fresh}/activity"),
      200,
      including({ source_id: null, method: "message/send" }),
    ),
  ),
  ...["webhook:x", "system:x", "test:x", "channel:x"].map((name) =>
    who(289)(
      `${name} from outside`,
      on(to("lead", message("x"), "admin", { "x-workspace-id": name }), 403, refused),
    ),
  ),
  who(290)(
    "its own header with its own bearer",
    on(to("other", message("x"), "lead", { "x-workspace-id": "{lead}" }), 200),
  ),
  who(290)(
    "another's header with its own bearer",
    on(to("other", message("x"), "lead", { "x-workspace-id": "{member}" }), 401, refused),
  ),
  who(290)(
    "a header with a wrong bearer",
    on(to("other", message("x"), "wrong", { "x-workspace-id": "{lead}" }), 401, refused),
  ),
  who(290)(
    "403 where the hierarchy says no",
    on(to("stranger", message("x"), "lead"), 403, refused),
  ),
  who(290)("down the line", on(to("grandchild", message("x"), "lead"), 200)),
  who(290)("up the line", on(to("lead", message("x"), "grandchild"), 200)),
  who(291)(
    "to itself",
    on(to("fresh", message("note to self"), "fresh", { "x-workspace-id": "{fresh}" }), 200),
  ),
  who(291)(
    "to itself with another's bearer",
    on(to("fresh", message("x"), "lead", { "x-workspace-id": "{fresh}" }), 401, refused),
  ),
  who(292)(
    "a budget that is used up",
    on(
      post("/workspaces", { name: "conformance", external: true, budget_limit: 5 }),
      201,
      {},
      { save: { created: "id", token: "connection.auth_token" } },
    ),
    on(post("/registry/heartbeat", { workspace_id: "{created}", monthly_spend: 5 }, "token"), 200),
    on(to("created"), 402, refused),
  ),
  who(292)(
    "a budget that is not",
    on(
      post("/workspaces", { name: "conformance", external: true, budget_limit: 6 }),
      201,
      {},
      { save: { created: "id", token: "connection.auth_token" } },
    ),
    on(
      post(
        "/registry/register",
        { id: "{created}", url: "", delivery_mode: "poll", agent_card: {} },
        "token",
      ),
      200,
    ),
    on(post("/registry/heartbeat", { workspace_id: "{created}", monthly_spend: 5 }, "token"), 200),
    on(to("created"), 200),
  ),
];

const where = (line: number) => rowOf("§6.3", line);
const targets = [
  where(297)("an unknown workspace", on(to("unknown"), 404, refused)),
  where(297)(
    "a removed one",
    on(to("removed"), 410, { error: someText, id: "{removed}", hint: someText }),
  ),
  where(298)(
    "an external one that has never said where it is",
    on(
      to("freshAwaited"),
      [200, 202, 503],
      oneOf(
        { error: someText, status: someText },
        { queued: true },
        { status: "queued" },
        { status: "queued" },
      ),
    ),
  ),
  where(298)(
    "a paused one",
    on(post("/workspaces/{freshManaged}/pause", {}), 200),
    on(to("freshManaged"), 503, { error: someText, status: "paused" }),
  ),
  where(298)("one that starts: the message waits", on(to("freshManaged"), [200, 202], object)),
  where(301)(
    "a poll-mode agent",
    on(to("fresh"), 200, { status: "queued", delivery_mode: "poll", method: "message/send" }),
  ),
  where(301)(
    "its row has the request and no response",
    on(to("fresh", message("for later")), 200),
    on(
      get("/workspaces/{fresh}/activity?type=a2a_receive"),
      200,
      including({
        request_body: { params: { message: { parts: [{ kind: "text", text: "for later" }] } } },
        response_body: orAbsent(null),
      }),
    ),
  ),
  where(301)(
    "the method is said",
    on(to("fresh", { ...message("x"), method: "message/stream" }), 200, {
      method: "message/stream",
    }),
  ),
];

const sending = (line: number) => rowOf("§6.4", line);
const dispatching = [
  sending(311)(
    "the registered url exactly, as JSON",
    on(to("fresh-push-echo"), 200),
    calls(
      "echo",
      including({ method: "POST", headers: { "content-type": like(/^application\/json/) } }),
    ),
  ),
  sending(311)(
    "no redirect is followed",
    on(to("fresh-push-redirects"), [302, 502], refused),
    on(get("{agent}/_calls?path=/echo/redirected", null), 200, { calls: [] }),
  ),
  sending(311)(
    "our bearer goes to nobody",
    on(to("fresh-push-echo"), 200),
    calls("echo", not(including({ headers: { authorization: like(/wst_|Bearer .*admin/) } }))),
  ),
  program("§6.4", 312, {
    title: "a client that leaves cancels nothing",
    sends: "POST …/a2a to a slow agent, cut after 300 ms",
    expects: "the answer is in the activity afterwards",
    run: async (scope) => {
      const id = await scope.fill("{fresh-push-slow}");
      const token = await scope.bearer("admin");
      await fetch(`${scope.base}/workspaces/${id}/a2a`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(message("stay")),
        signal: AbortSignal.timeout(300),
      }).catch(() => undefined);
      await scope.run(
        on(
          get(`/workspaces/${id}/activity?type=a2a_receive`),
          200,
          including({ status: "ok", response_body: object }),
          { within: 20_000 },
        ),
      );
    },
  }),
];

const said = (line: number) => rowOf("§6.5", line);
const answers = [
  said(320)(
    "200 verbatim",
    on(
      to("push-echo"),
      200,
      { jsonrpc: "2.0", id: "1", result: { kind: "message", role: "agent" } },
      { headers: { "content-type": like(/^application\/json/) } },
    ),
  ),
  said(320)(
    "another 2xx keeps its status",
    on(to("push-accepted"), 202, { jsonrpc: "2.0", result: object }),
  ),
  said(320)(
    "a JSON-RPC error is verbatim",
    on(to("push-rpcerror"), 200, { error: { code: -32000, message: "no" } }),
  ),
  said(320)(
    "result.artifacts is verbatim",
    on(to("push-artifacts"), 200, {
      result: { artifacts: [{ parts: [{ text: "from an artifact" }] }] },
    }),
  ),
  said(321)(
    "403 with the agent's own error",
    on(to("push-refuses"), 403, { error: "not for you" }),
  ),
  said(321)(
    "500 with the agent's own error",
    on(to("push-fails"), 500, { error: "the model is down" }),
  ),
  said(321)("500 without a body", on(to("push-silent500"), [500, 502], refused)),
  said(322)(
    "a body that is no JSON",
    on(to("push-garbage"), 502, { error: someText, delivery_confirmed: orAbsent(true) }),
  ),
  said(326)(
    "the shape of 202",
    on(to("push-slow", message("x"), "admin", { "x-timeout": "1" }), 202, {
      queued: true,
      queue_id: uuid,
      queue_depth: int,
      message: someText,
    }),
  ),
  said(328)(
    "an agent that is gone",
    on(
      post("/workspaces", { name: "conformance", external: true }),
      201,
      {},
      { save: { created: "id", token: "connection.auth_token" } },
    ),
    on(
      post(
        "/registry/register",
        { id: "{created}", url: "{agent}/nobody", delivery_mode: "push", agent_card: {} },
        "token",
      ),
      200,
    ),
    on(to("created"), 404, refused),
  ),
  said(334)(
    "the same messageId twice: the agent is asked once",
    on(to("fresh-push-echo", message("once", { messageId: "{uuid}" })), 200),
    on(to("fresh-push-echo", message("once", { messageId: "{uuid}" })), 200, { result: object }),
    calls("echo", ofLength(1)),
  ),
  said(334)(
    "and the answer is the same",
    on(
      to("fresh-push-echo", message("once", { messageId: "{uuid}" })),
      200,
      {},
      { save: { first: "$" } },
    ),
    on(to("fresh-push-echo", message("once", { messageId: "{uuid}" })), 200, {
      result: { parts: [{ text: like(/once/) }] },
    }),
  ),
];

const effect = (line: number) => rowOf("§6.6", line);
const effects = [
  effect(339)(
    "the row of a success",
    on(to("fresh-push-echo", message("log me"), "lead"), 200),
    on(
      get("/workspaces/{fresh-push-echo}/activity"),
      200,
      including({
        activity_type: "a2a_receive",
        workspace_id: "{fresh-push-echo}",
        source_id: "{lead}",
        target_id: "{fresh-push-echo}",
        method: "message/send",
        summary: like(/message\/send/),
        request_body: object,
        response_body: object,
        duration_ms: int,
        status: "ok",
      }),
      { within: 10_000 },
    ),
  ),
  effect(339)(
    "an agent's 4xx is an error",
    on(to("fresh-push-refuses"), 403),
    on(get("/workspaces/{fresh-push-refuses}/activity"), 200, including({ status: "error" }), {
      within: 10_000,
    }),
  ),
  effect(340)(
    "a failure has its detail",
    on(to("fresh-push-garbage"), 502),
    on(
      get("/workspaces/{fresh-push-garbage}/activity"),
      200,
      including({ status: "error", error_detail: someText }),
      { within: 10_000 },
    ),
  ),
  effect(343)(
    "the caller's last_outbound_at",
    on(to("push-echo", message("x"), "fresh"), 200),
    on(get("/workspaces/{fresh}"), 200, { last_outbound_at: time }, { within: 10_000 }),
  ),
];

const queue = (line: number) => rowOf("§6.7", line);
const queues = [
  queue(351)(
    "the same messageId waits once",
    on(to("freshManaged", message("x", { messageId: "{uuid}" })), [200, 202], object),
    on(to("freshManaged", message("x", { messageId: "{uuid}" })), [200, 202], object),
    on(get("/workspaces/{freshManaged}/activity?type=a2a_receive"), 200, listOf({ id: uuid })),
  ),
  queue(352)(
    "its place is told",
    on(
      to("freshManaged", message("first")),
      [200, 202],
      oneOf({ result: object }, { queue_depth: atLeast(1) }),
    ),
  ),
  queue(354)(
    "what nobody took ends with the workspace",
    on(to("freshManaged", message("x")), [200, 202]),
    on(del("/workspaces/{freshManaged}?confirm=true"), 200),
  ),
];

export const proxyCases: readonly ConformanceCase[] = [
  ...requests,
  ...callers,
  ...targets,
  ...dispatching,
  ...answers,
  ...effects,
  ...queues,
  who(290)("a person may write to anybody", on(to("stranger"), 200)),
  where(301)(
    "a name does not matter",
    on(patch("/workspaces/{fresh}", { name: "renamed" }), 200),
    on(to("fresh"), 200, { status: "queued" }),
  ),
];
