import { type ConformanceCase, del, get, message, on, post, rowOf } from "../case.ts";
import {
  absent,
  including,
  like,
  listOf,
  not,
  object,
  oneOf,
  orNull,
  type Shape,
  someText,
  text,
  time,
  token43,
  uuid,
} from "../shape.ts";

const refused = { error: someText };
const card = { name: "conformance", skills: [] };
const registering = (more: object = {}, as = "fresh") =>
  post(
    "/registry/register",
    { id: `{${as}}`, url: "", delivery_mode: "poll", agent_card: card, ...more },
    as,
  );
const _beat = (body: object, as = "fresh") =>
  post("/registry/heartbeat", { workspace_id: `{${as}}`, ...body }, as);
const row = (shape: Shape, as = "fresh") =>
  on(get(`/workspaces/{${as}}`), 200, shape, { within: 5000 });

const register = (line: number) => rowOf("§5.1", line);
const registration = [
  register(192)(
    "no id",
    on(post("/registry/register", { url: "", agent_card: card }, "fresh"), 400, refused),
  ),
  register(192)(
    "an id that is no UUID",
    on(post("/registry/register", { id: "x", url: "", agent_card: card }, "fresh"), 400, refused),
  ),
  register(193)("poll mode needs no url", on(registering(), 200, { status: "registered" })),
  register(193)(
    "poll mode without the field",
    on(
      post(
        "/registry/register",
        { id: "{fresh}", delivery_mode: "poll", agent_card: card },
        "fresh",
      ),
      200,
    ),
  ),
  register(193)("push mode without url", on(registering({ delivery_mode: "push" }), 400, refused)),
  register(194)("no card", on(registering({ agent_card: undefined }), 400, refused)),
  register(194)("a card that is a text", on(registering({ agent_card: "x" }), 400, refused)),
  register(194)("a card that is a list", on(registering({ agent_card: [] }), 400, refused)),
  register(194)(
    "the container runtime's card",
    on(
      registering({
        agent_card: {
          name: "n",
          description: "d",
          version: "1.0.0",
          url: "http://h:8000",
          skills: [{ id: "s", name: "s", description: "", tags: [] }],
          capabilities: { streaming: true, pushNotifications: false },
        },
      }),
      200,
    ),
    row({ agent_card: { version: "1.0.0", capabilities: { streaming: true } } }),
  ),
  register(194)(
    "the wheel's card",
    on(registering({ agent_card: { name: "n", skills: [] } }), 200),
  ),
  register(194)(
    "a later card with configuration_status",
    on(
      registering({
        agent_card: { name: "n", configuration_status: "error", configuration_error: "no key" },
      }),
      200,
    ),
    row({ agent_card: { configuration_error: "no key" } }),
  ),
  register(194)("an empty card", on(registering({ agent_card: {} }), 200)),
  register(195)(
    "an unknown delivery mode",
    on(registering({ delivery_mode: "pigeon" }), 400, refused),
  ),
  register(195)("the mode is answered", on(registering(), 200, { delivery_mode: "poll" })),
  register(195)(
    "absent: the stored one stays",
    on(post("/registry/register", { id: "{fresh}", url: "", agent_card: card }, "fresh"), 200, {
      delivery_mode: "poll",
    }),
  ),
  register(199)(
    "status and inbound secret",
    on(registering(), 200, { status: "registered", platform_inbound_secret: token43 }),
  ),
  register(199)(
    "no new token for one that has one",
    on(registering(), 200, { auth_token: absent }),
  ),
  register(199)(
    "the secret comes with every register",
    on(registering(), 200, {}, { save: { secret: "platform_inbound_secret" } }),
    on(registering(), 200, { platform_inbound_secret: "{secret}" }),
  ),
  register(200)(
    "no body",
    on({ method: "POST", path: "/registry/register", as: "fresh" }, 400, refused),
  ),
  register(200)("no JSON", on(post("/registry/register", "{", "fresh"), 400, refused)),
  register(200)(
    "a url that is none",
    on(registering({ url: "nonsense", delivery_mode: "push" }), 400, refused),
  ),
  register(201)(
    "no bearer",
    on(post("/registry/register", { id: "{lead}", url: "", agent_card: card }, null), 401, refused),
  ),
  register(201)(
    "an unknown id is refused, not created",
    on(
      post("/registry/register", { id: "{unknown}", url: "", agent_card: card }, "lead"),
      401,
      refused,
    ),
  ),
  register(202)(
    "410 for a removed workspace, before authentication",
    on(post("/registry/register", { id: "{removed}", url: "", agent_card: card }, null), 410, {
      error: someText,
      id: "{removed}",
      removed_at: orNull(time),
      hint: someText,
    }),
  ),
  register(202)("410 with its old bearer as well", on(registering({}, "removed"), 410, refused)),
  register(205)(
    "the card is replaced",
    on(registering({ agent_card: { name: "first", extra: 1 } }), 200),
    on(registering({ agent_card: { name: "second" } }), 200),
    row({ agent_card: { name: "second", extra: absent } }),
  ),
  register(205)(
    "the url is shown",
    on(get("/workspaces/{push-echo}"), 200, { url: like(/^http/) }),
  ),
];

/** Addresses no server may dial. Source: §5.2. */
const NEVER: readonly (readonly [line: number, url: string])[] = [
  [208, "ftp://example.com/"],
  [208, "file:///etc/passwd"],
  [208, "http://no-such-name.invalid/"],
  [212, "http://169.254.169.254/latest/meta-data"],
  [212, "http://[fe80::1]:8000/"],
  [212, "http://192.0.2.1:8000/"],
  [212, "http://198.51.100.7:8000/"],
  [212, "http://203.0.113.9:8000/"],
  [212, "http://100.64.0.1:8000/"],
  [212, "http://224.0.0.1:8000/"],
  [212, "http://[fc00::1]:8000/"],
  [212, "http://[2001:db8::1]:8000/"],
  [212, "http://[::ffff:169.254.169.254]:8000/"],
  [212, "http://2852039166/"],
  [212, "http://0.0.0.0:8000/"],
  [213, "http://10.0.0.1:8000/"],
  [213, "http://172.16.0.1:8000/"],
  [213, "http://192.168.1.1:8000/"],
  [213, "http://[fd00::1]:8000/"],
];
const ssrf = [
  ...NEVER.map(([line, url]) =>
    rowOf("§5.2", line)(
      `${url} is not registered`,
      on(registering({ url, delivery_mode: "push" }), 400, refused),
    ),
  ),
  rowOf("§5.2", 215)(
    "a managed workspace's url is kept as said and never dialled",
    on(
      post(
        "/registry/register",
        { id: "{freshManaged}", url: "http://192.0.2.1:8000", agent_card: card },
        "freshManaged",
      ),
      [200, 409],
    ),
  ),
  rowOf("§5.2", 215)(
    "localhost is no exception",
    on(registering({ url: "http://localhost:8000", delivery_mode: "push" }), 400, refused),
  ),
  rowOf("§5.3", 229)(
    "create takes no url that register refuses",
    on(
      post("/workspaces", { name: "conformance", external: true, url: "http://192.0.2.1:8000/" }),
      400,
      refused,
    ),
  ),
];

const update = rowOf("§5.5", 266);
const discover = rowOf("§5.5", 267);
const peers = rowOf("§5.5", 268);
const access = rowOf("§5.5", 269);
const asked = (caller: string, target: string) =>
  post("/registry/check-access", { caller_id: `{${caller}}`, target_id: `{${target}}` });
const pair = (caller: string, target: string, allowed: boolean) =>
  rowOf("§5.6", 272)(
    `${caller} → ${target}: ${allowed ? "allowed" : "denied"}`,
    on(asked(caller, target), 200, { allowed }),
  );
const discovering = (caller: string, target: string) =>
  get(`/registry/discover/{${target}}`, caller, { "x-workspace-id": `{${caller}}` });

const others = [
  update(
    "its answer",
    on(
      post(
        "/registry/update-card",
        { workspace_id: "{fresh}", agent_card: { name: "new" } },
        "fresh",
      ),
      200,
      { status: "updated" },
    ),
    row({ agent_card: { name: "new" } }),
  ),
  update(
    "no workspace_id",
    on(post("/registry/update-card", { agent_card: {} }, "fresh"), 400, refused),
  ),
  update(
    "no card",
    on(post("/registry/update-card", { workspace_id: "{fresh}" }, "fresh"), 400, refused),
  ),
  update(
    "the canvas may as well",
    on(post("/registry/update-card", { workspace_id: "{fresh}", agent_card: { name: "n" } }), 200),
  ),
  update(
    "410 for a removed workspace",
    on(
      post("/registry/update-card", { workspace_id: "{removed}", agent_card: {} }, "removed"),
      410,
      refused,
    ),
  ),
  discover(
    "id, url and name of a peer",
    on(discovering("lead", "push-echo"), 200, {
      id: "{push-echo}",
      name: someText,
      url: like(/\/workspaces\/[0-9a-f-]{36}\/a2a$/),
    }),
  ),
  discover("no caller header", on(get("/registry/discover/{member}", "lead"), 400, refused)),
  discover(
    "a caller header that is no UUID",
    on(get("/registry/discover/{member}", "lead", { "x-workspace-id": "x" }), [400, 401], refused),
  ),
  discover("403 along no line of the hierarchy", on(discovering("lead", "stranger"), 403, refused)),
  discover("404 for an unknown id", on(discovering("lead", "unknown"), 404, refused)),
  discover(
    "503 for one that is not there",
    on(get("/registry/discover/{freshAwaited}", "lead", { "x-workspace-id": "{lead}" }), 503, {
      error: someText,
      status: someText,
    }),
  ),
  discover(
    "410 for a removed one",
    on(
      get("/registry/discover/{removed}", "lead", { "x-workspace-id": "{lead}" }),
      [404, 410],
      refused,
    ),
  ),
  peers(
    "their fields",
    on(
      get("/registry/{member}/peers", "member"),
      200,
      including({
        id: "{peer}",
        name: someText,
        role: orNull(text),
        tier: 3,
        status: oneOf("online", "awaiting_agent", "degraded"),
        agent_card: orNull(object),
        url: text,
        parent_id: "{lead}",
        active_tasks: 0,
      }),
    ),
  ),
  peers("siblings", on(get("/registry/{peer}/peers", "peer"), 200, including({ id: "{member}" }))),
  peers(
    "children",
    on(get("/registry/{member}/peers", "member"), 200, including({ id: "{grandchild}" })),
  ),
  peers(
    "the parent",
    on(get("/registry/{member}/peers", "member"), 200, including({ id: "{lead}" })),
  ),
  peers(
    "not itself",
    on(get("/registry/{member}/peers", "member"), 200, not(including({ id: "{member}" }))),
  ),
  peers(
    "nobody of another tree",
    on(get("/registry/{member}/peers", "member"), 200, not(including({ id: "{stranger}" }))),
  ),
  peers(
    "no grandchildren",
    on(get("/registry/{lead}/peers", "lead"), 200, not(including({ id: "{grandchild}" }))),
  ),
  peers(
    "removed ones are left out",
    on(del("/workspaces/{freshChild}?confirm=true"), 200),
    on(get("/registry/{fresh}/peers", "fresh"), 200, not(including({ id: "{freshChild}" }))),
  ),
  peers(
    "q in any case",
    on(get("/registry/{fresh}/peers?q=CONFORMANCE", "fresh"), 200, listOf({ id: uuid })),
  ),
  peers("q that nobody matches", on(get("/registry/{member}/peers?q=zzzzzz", "member"), 200, [])),
  peers("another's bearer", on(get("/registry/{member}/peers", "lead"), 401, refused)),
  peers("404 for an unknown id", on(get("/registry/{unknown}/peers"), 404, refused)),
  access("its answer", on(asked("lead", "member"), 200, { allowed: true })),
  access("no caller_id", on(post("/registry/check-access", { target_id: "{lead}" }), 400, refused)),
  access("no target_id", on(post("/registry/check-access", { caller_id: "{lead}" }), 400, refused)),
  access(
    "ids that are no UUID",
    on(post("/registry/check-access", { caller_id: "x", target_id: "y" }), 400, refused),
  ),
  pair("lead", "lead", true),
  pair("member", "peer", true),
  pair("lead", "other", true),
  pair("lead", "grandchild", true),
  pair("grandchild", "lead", true),
  pair("grandchild", "member", true),
  pair("grandchild", "peer", false),
  pair("peer", "grandchild", false),
  pair("member", "stranger", false),
  pair("lead", "stranger", false),
  pair("stranger", "member", false),
  pair("lead", "unknown", false),
  pair("lead", "removed", false),
  rowOf("§5.6", 272)(
    "a denied pair is denied at the proxy",
    on(post("/workspaces/{stranger}/a2a", message("x"), "member"), 403, refused),
  ),
];

export const registryCases: readonly ConformanceCase[] = [...registration, ...ssrf, ...others];
