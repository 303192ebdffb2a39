import {
  type ConformanceCase,
  del,
  get,
  message,
  on,
  patch,
  post,
  program,
  put,
  rowOf,
} from "../case.ts";
import {
  absent,
  array,
  including,
  like,
  not,
  orAbsent,
  someText,
  time,
  token43,
} from "../shape.ts";

const ids = rowOf("§1", 19);
const times = rowOf("§1", 20);
const extra = rowOf("§1", 21);
const required = rowOf("§1", 22);
const empty = rowOf("§1", 23);
const bearer = rowOf("§1", 24);
const caller = rowOf("§1", 25);
const wait = rowOf("§1", 26);
const rate = rowOf("§1", 29);
const cors = rowOf("§1", 30);
const security = rowOf("§1", 31);
const kinds = rowOf("§2.1", 39);
const inbound = rowOf("§2.1", 40);
const validity = rowOf("§2.1", 44);

const refused = { error: someText };
const card = { name: "conformance", skills: [] };

const BAD_ID: readonly (readonly [string, ReturnType<typeof get>])[] = [
  ["GET", get("/workspaces/not-a-uuid")],
  ["PATCH", patch("/workspaces/not-a-uuid", { name: "x" })],
  ["DELETE", del("/workspaces/not-a-uuid?confirm=true")],
  ["restart", post("/workspaces/not-a-uuid/restart", {})],
  ["notify", post("/workspaces/not-a-uuid/notify", { message: "x" })],
  ["activity", get("/workspaces/not-a-uuid/activity")],
  ["a2a", post("/workspaces/not-a-uuid/a2a", message("x"))],
  ["chat download", get("/workspaces/not-a-uuid/chat/download?path=/workspace/a")],
  ["tokens", get("/workspaces/not-a-uuid/tokens")],
  ["files", get("/workspaces/not-a-uuid/files")],
  ["config", get("/workspaces/not-a-uuid/config")],
];

export const conventionCases: readonly ConformanceCase[] = [
  ...BAD_ID.map(([name, call]) =>
    ids(`an id that is no UUID: ${name} is 400`, on(call, 400, refused)),
  ),
  program("§1", 19, {
    title: "an id in upper case is accepted by GET of a workspace",
    sends: "GET /workspaces/<ID IN UPPER CASE>",
    expects: "200",
    run: async (scope) => {
      const upper = (await scope.fill("{lead}")).toUpperCase();
      await scope.run(on(get(`/workspaces/${upper}`), 200, { id: "{lead}" }));
    },
  }),
  ...["secrets", "model", "provider"].map((part) =>
    program("§1", 19, {
      title: `an id in upper case is refused by ${part}`,
      sends: `GET /workspaces/<ID IN UPPER CASE>/${part}`,
      expects: "400",
      run: async (scope) => {
        const upper = (await scope.fill("{lead}")).toUpperCase();
        await scope.run(on(get(`/workspaces/${upper}/${part}`), 400, refused));
      },
    }),
  ),
  times(
    "times are RFC 3339 in UTC",
    on(post("/workspaces/{fresh}/notify", { message: "when" }, "fresh"), 200),
    on(get("/workspaces/{fresh}/activity"), 200, including({ created_at: time })),
  ),
  extra(
    "notify with `type`",
    on(post("/workspaces/{fresh}/notify", { message: "x", type: "note" }, "fresh"), 200),
  ),
  extra(
    "register with fields of later runtimes",
    on(
      post(
        "/registry/register",
        { id: "{fresh}", url: "", delivery_mode: "poll", agent_card: card, later_field: { a: 1 } },
        "fresh",
      ),
      200,
    ),
  ),
  extra(
    "heartbeat with an unknown field",
    on(post("/registry/heartbeat", { workspace_id: "{fresh}", mood: "fine" }, "fresh"), 200),
  ),
  extra(
    "create with an unknown field",
    on(post("/workspaces", { name: "conformance", external: true, colour: "red" }), 201),
  ),
  extra(
    "activity with an unknown field",
    on(
      post("/workspaces/{fresh}/activity", { activity_type: "agent_log", mood: "fine" }, "fresh"),
      200,
    ),
  ),
  extra(
    "PATCH with an unknown field",
    on(patch("/workspaces/{fresh}", { name: "conformance", mood: "fine" }), 200),
  ),
  required("an empty name at create", on(post("/workspaces", { name: "" }), 400, refused)),
  required(
    "an empty message at notify",
    on(post("/workspaces/{lead}/notify", { message: "" }, "lead"), 400, refused),
  ),
  required(
    "an empty workspace_id in a heartbeat",
    on(post("/registry/heartbeat", { workspace_id: "" }, "lead"), 400, refused),
  ),
  required(
    "an empty task of a delegation",
    on(
      post("/workspaces/{lead}/delegate", { target_id: "{member}", task: "" }, "lead"),
      400,
      refused,
    ),
  ),
  required(
    "an empty key of a secret",
    on(put("/workspaces/{lead}/secrets", { key: "", value: "v" }), 400, refused),
  ),
  required(
    "an empty value of a secret",
    on(put("/workspaces/{lead}/secrets", { key: "KEY", value: "" }), 400, refused),
  ),
  empty("delegations", on(get("/workspaces/{fresh}/delegations"), 200, [])),
  empty("secrets of a workspace without any", on(get("/workspaces/{fresh}/secrets"), 200, array)),
  empty(
    "peers of a child that nobody else is beside are a list",
    on(get("/registry/{fresh}/peers", "fresh"), 200, array),
  ),
  empty(
    "activity that matches nothing",
    on(get("/workspaces/{fresh}/activity?type=skill_promotion"), 200, []),
  ),
  empty(
    "tokens of a page beyond the last",
    on(get("/workspaces/{fresh}/tokens?offset=1000"), 200, { tokens: [], count: 0 }),
  ),
  program("§1", 24, {
    title: "the prefix is case-sensitive",
    sends: "GET /workspaces with “authorization: bearer T”",
    expects: "401",
    run: async (scope) => {
      const token = await scope.bearer("admin");
      await scope.run(
        on(get("/workspaces", null, { authorization: `bearer ${token}` }), 401, refused),
      );
    },
  }),
  program("§1", 24, {
    title: "the token is trimmed",
    sends: "GET /workspaces with “authorization: Bearer   T”",
    expects: "200",
    run: async (scope) => {
      const token = await scope.bearer("admin");
      await scope.run(
        on(get("/workspaces", null, { authorization: `Bearer   ${token} ` }), 200, array),
      );
    },
  }),
  bearer(
    "another scheme is no credential",
    on(get("/workspaces", null, { authorization: "Basic YTpi" }), 401, refused),
  ),
  bearer(
    "an empty bearer is no credential",
    on(get("/workspaces", null, { authorization: "Bearer " }), 401, refused),
  ),
  caller(
    "a caller header that is no UUID is refused",
    on(
      post("/workspaces/{lead}/a2a", message("x"), "lead", { "x-workspace-id": "me" }),
      [400, 403],
      refused,
    ),
  ),
  wait(
    "a deadline that passes: the message stays with the platform (202)",
    on(post("/workspaces/{push-slow}/a2a", message("x"), "admin", { "x-timeout": "1" }), 202, {
      queued: true,
      queue_id: someText,
    }),
  ),
  wait(
    "0 sets no deadline",
    on(post("/workspaces/{push-echo}/a2a", message("x"), "admin", { "x-timeout": "0" }), 200),
  ),
  wait(
    "text that is no number sets no deadline",
    on(post("/workspaces/{push-echo}/a2a", message("x"), "admin", { "x-timeout": "soon" }), 200),
  ),
  rate(
    "every answer says its limit",
    on(get("/workspaces"), 200, array, {
      headers: { "x-ratelimit-limit": like(/^(\d+|unlimited)$/) },
    }),
  ),
  rate(
    "also answers without a credential",
    on(get("/health", null), 200, undefined, {
      headers: { "x-ratelimit-limit": like(/^(\d+|unlimited)$/) },
    }),
  ),
  program("§1", 28, {
    title: "X-Forwarded-For opens no window of its own",
    sends: "GET /health twice with two values of X-Forwarded-For",
    expects: "the second has less remaining than the first, or there is no limit",
    run: async (scope) => {
      const ask = async (ip: string) => {
        const reply = await fetch(`${scope.base}/health`, { headers: { "x-forwarded-for": ip } });
        return reply.headers;
      };
      const first = await ask("198.51.100.1");
      const second = await ask("198.51.100.2");
      if (second.get("x-ratelimit-limit") === "unlimited") return;
      const before = Number(first.get("x-ratelimit-remaining"));
      const after = Number(second.get("x-ratelimit-remaining"));
      const hasReset =
        Number(second.get("x-ratelimit-reset")) < Number(first.get("x-ratelimit-reset"));
      if (!(after < before) && !hasReset && before !== 0) {
        throw new Error(`remaining was ${before}, then ${after}`);
      }
    },
  }),
  cors(
    "an origin that is not listed gets no permission",
    on(get("/health", null, { origin: "https://evil.example" }), 200, undefined, {
      headers: { "access-control-allow-origin": absent },
    }),
  ),
  cors(
    "nor with a preflight",
    on(
      {
        method: "OPTIONS",
        path: "/workspaces",
        as: null,
        headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
      },
      [200, 204, 403],
      undefined,
      { headers: { "access-control-allow-origin": absent } },
    ),
  ),
  ...Object.entries({
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "strict-transport-security": like(/max-age=31536000.*includeSubDomains/i),
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": like(/camera=\(\).*microphone=\(\).*geolocation=\(\)/),
    "content-security-policy": like(/default-src '(self|none)'/),
  }).map(([name, shape]) =>
    security(name, on(get("/health", null), 200, undefined, { headers: { [name]: shape } })),
  ),
  rowOf("§1", 13)(
    "an address that nothing serves has an error body",
    on(get("/no/such/route"), 404, refused),
  ),
  rowOf("§1", 13)(
    "a body that is no JSON has an error body",
    on(post("/workspaces", "{", "admin"), 400, refused),
  ),
  rowOf("§1", 13)(
    "a body that is a list has an error body",
    on(post("/workspaces", "[]", "admin"), 400, refused),
  ),
  kinds(
    "the token of an external workspace",
    on(post("/workspaces", { name: "conformance", external: true }), 201, {
      connection: { auth_token: token43 },
    }),
  ),
  kinds("a minted token", on(post("/workspaces/{fresh}/tokens", {}), 201, { auth_token: token43 })),
  inbound(
    "the inbound secret at register",
    on(
      post(
        "/registry/register",
        { id: "{fresh}", url: "", delivery_mode: "poll", agent_card: card },
        "fresh",
      ),
      200,
      { platform_inbound_secret: token43 },
    ),
  ),
  inbound(
    "it is the same with every beat",
    on(
      post("/registry/heartbeat", { workspace_id: "{fresh}" }, "fresh"),
      200,
      {},
      {
        save: { secret: "platform_inbound_secret" },
      },
    ),
    on(post("/registry/heartbeat", { workspace_id: "{fresh}" }, "fresh"), 200, {
      platform_inbound_secret: "{secret}",
    }),
  ),
  inbound(
    "rows do not show it",
    on(get("/workspaces/{fresh}"), 200, { platform_inbound_secret: absent }),
  ),
  validity(
    "a token is bound to its workspace",
    on(get("/workspaces/{lead}/state", "other"), 401, refused),
  ),
  validity(
    "a revoked token is dead",
    on(post("/workspaces/{fresh}/tokens", {}), 201, {}, { save: { token: "auth_token" } }),
    on(get("/workspaces/{fresh}/tokens"), 200, {}, { save: { tokenId: "tokens.0.id" } }),
    on(del("/workspaces/{fresh}/tokens/{tokenId}"), 200, { status: "revoked" }),
    on(get("/workspaces/{fresh}/state", "token"), 401, refused),
  ),
  validity(
    "a removed workspace's token is dead",
    on(del("/workspaces/{fresh}?confirm=true"), 200),
    on(get("/workspaces/{fresh}/activity", "fresh"), [401, 410], refused),
  ),
  validity(
    "using a token shows when it was last used",
    on(get("/workspaces/{fresh}/state", "fresh"), 200),
    on(
      get("/workspaces/{fresh}/tokens"),
      200,
      { tokens: including({ last_used_at: time }) },
      { within: 5000 },
    ),
  ),
  validity(
    "rows never show tokens",
    on(get("/workspaces/{fresh}/tokens"), 200, {
      tokens: including({ auth_token: absent, token: absent, token_sha256: absent }),
    }),
  ),
  extra(
    "an organisation header on a server of no organisation hides nothing",
    on(get("/health", null, { "x-molecule-org-id": "somebody" }), 200, { status: "ok" }),
  ),
  caller(
    "the canvas's organisation slug is ignored",
    on(
      get("/workspaces", "admin", { "x-molecule-org-slug": "acme" }),
      200,
      not({ error: someText }),
    ),
  ),
  rowOf("§1", 29)(
    "a refusal is counted as well",
    on(
      get("/workspaces", "wrong"),
      401,
      { retry_after: orAbsent(absent) },
      {
        headers: { "x-ratelimit-limit": like(/^(\d+|unlimited)$/) },
      },
    ),
  ),
];
