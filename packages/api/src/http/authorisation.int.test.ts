import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAt } from "../a2a/test-agent.fixture.ts";
import {
  createTestApi,
  TEST_ADMIN_TOKEN,
  TEST_HOST,
  type TestApi,
  type TestCall,
} from "../api.fixture.ts";
import { EventHub } from "../events/event-hub.ts";
import { OpenStreams } from "../events/open-streams.ts";
import { appRouter } from "../root.ts";
import { type WatchedChanges, watchChanges } from "../watch-changes.fixture.ts";
import { allRoutes } from "./all-routes.ts";
import {
  type Access,
  PROCEDURE_ACCESS,
  ROUTE_ACCESS,
  type RouteAccess,
} from "./authorisation.fixture.ts";
import { RateLimiter } from "./rate-limit.ts";

/** What an identity is to the workspace that is asked about. */
type Kind =
  | "nobody"
  | "superseded"
  | "relative"
  | "child"
  | "stranger"
  | "claimant"
  | "itself"
  | "viewer"
  | "editor"
  | "foreign page"
  | "form";

interface Identity {
  readonly name: string;
  readonly kind: Kind;
  readonly call: TestCall;
  /** Appended to the path. */
  readonly query?: string;
}

type Expected = number | "passes" | "minimum" | "skip";

let t: TestApi;
let changes: WatchedChanges;
let identities: Identity[];
let id: string;
let removed: string;
let removedToken: string;
let ownToken: string;

beforeAll(async () => {
  t = await createTestApi();
  const parent = await t.createWorkspace({ name: "Parent" });
  id = await t.createWorkspace({ name: "Target", parent_id: parent });
  const sibling = await t.createWorkspace({ name: "Sibling", parent_id: parent });
  const child = await t.createWorkspace({ name: "Child", parent_id: id });
  const elsewhere = await t.createWorkspace({ name: "Elsewhere" });
  const stranger = await t.createWorkspace({ name: "Stranger", parent_id: elsewhere });
  removed = await t.createWorkspace({ name: "Removed" });
  removedToken = await t.tokenOf(removed);
  await t.call("DELETE", `/workspaces/${removed}`);
  const superseded = await attemptToken();
  await runAt(t, id, "127.0.0.1:9");
  await runAt(t, id, "127.0.0.1:9");
  ownToken = await t.tokenOf(id);
  const tokens = {
    parent: [parent, await t.tokenOf(parent)],
    sibling: [sibling, await t.tokenOf(sibling)],
    child: [child, await t.tokenOf(child)],
    stranger: [stranger, await t.tokenOf(stranger)],
  } as const;
  identities = [...(await nobodies()), ...(await pages())];
  const as = (name: string, kind: Kind, token: string, caller: string) =>
    identities.push({ name, kind, call: { token, headers: { "x-workspace-id": caller } } });
  as("a token of an older attempt", "superseded", superseded, id);
  as("its parent", "relative", tokens.parent[1], tokens.parent[0]);
  as("its sibling", "relative", tokens.sibling[1], tokens.sibling[0]);
  as("its child", "child", tokens.child[1], tokens.child[0]);
  as("a stranger", "stranger", tokens.stranger[1], tokens.stranger[0]);
  as("a stranger as the workspace", "claimant", tokens.stranger[1], id);
  as("a stranger as system:", "stranger", tokens.stranger[1], "system:restart-context");
  as("its own token as system:", "itself", ownToken, "system:restart-context");
  changes = await watchChanges(t.test);
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

/** A token of the first attempt; later attempts supersede it. */
async function attemptToken(): Promise<string> {
  await runAt(t, id, "127.0.0.1:9");
  const token = `wst_${"s".repeat(43)}`;
  await t.test.sql`
    INSERT INTO workspace_tokens (workspace_id, kind, attempt_no, token_sha256, prefix)
    VALUES (${id}, 'attempt', 1, ${Buffer.from(tokenDigest(token))}, 'ssssssss')`;
  return token;
}

/** Who has nothing that is valid, however it looks. */
async function nobodies(): Promise<Identity[]> {
  const owner = await t.signIn();
  const expired = await t.signIn();
  await t.test.sql`UPDATE sessions SET expires_at = cp_now() - interval '1 second'
    WHERE token_sha256 = ${Buffer.from(tokenDigest(secretOf(expired)))}`;
  const ended = await t.signIn();
  await t.call("POST", "/sign-out", { token: null, headers: ended });
  const revoked = await t.tokenOf(id);
  await t.test.sql`UPDATE workspace_tokens SET revoked_at = cp_now()
    WHERE token_sha256 = ${Buffer.from(tokenDigest(revoked))}`;
  const bearer = (text: string): TestCall => ({ token: null, headers: { authorization: text } });
  const claims = (caller: string): TestCall => ({
    token: null,
    headers: { "x-workspace-id": caller },
  });
  const calls: Record<string, TestCall & { readonly query?: string }> = {
    "no credential": { token: null },
    "an empty bearer": bearer("Bearer "),
    "a bearer that is none": { token: "nonsense" },
    "a bearer of the right form": { token: `wst_${"a".repeat(43)}` },
    "the admin token and a letter": { token: `${TEST_ADMIN_TOKEN}x` },
    "the admin token in capitals": { token: TEST_ADMIN_TOKEN.toUpperCase() },
    "a bearer in lower case": bearer(`bearer ${TEST_ADMIN_TOKEN}`),
    "the admin token by Basic": bearer(
      `Basic ${Buffer.from(`admin:${TEST_ADMIN_TOKEN}`).toString("base64")}`,
    ),
    "the admin token in the query": {
      token: null,
      query: `token=${TEST_ADMIN_TOKEN}&access_token=${TEST_ADMIN_TOKEN}`,
    },
    "the admin token as a cookie": {
      token: null,
      headers: { cookie: `molecule_session=${TEST_ADMIN_TOKEN}`, origin: `http://${TEST_HOST}` },
    },
    "a revoked token": { token: revoked },
    "a removed workspace's token": { token: removedToken },
    "an expired session": { token: null, headers: expired },
    "a session that was signed out": { token: null, headers: ended },
    "a session nobody has": {
      token: null,
      headers: { ...owner, cookie: `molecule_session=${"x".repeat(43)}` },
    },
    "a session beside a wrong bearer": { token: "nonsense", headers: owner },
    "the workspace's name alone": claims(id),
    "a name of the platform alone": claims("system:restart-context"),
    "a name of a channel alone": claims("channel:telegram"),
  };
  return Object.entries(calls).map(([name, { query, ...call }]) => ({
    name,
    kind: "nobody",
    call,
    ...(query === undefined ? {} : { query }),
  }));
}

/** Signed-in people, and pages that use their cookie. */
async function pages(): Promise<Identity[]> {
  const { cookie = "", ...page } = await t.signIn();
  const viewer = await t.signIn("viewer");
  const editor = await t.signIn("editor");
  const foreign = (name: string, headers: Record<string, string>): Identity => ({
    name,
    kind: "foreign page",
    call: { token: null, headers: { cookie, ...headers } },
  });
  return [
    { name: "viewer", kind: "viewer", call: { token: null, headers: viewer } },
    { name: "editor", kind: "editor", call: { token: null, headers: editor } },
    foreign("a cookie without origin", {}),
    foreign("a page of another origin", { origin: "https://evil.example" }),
    foreign("a page of no origin", { origin: "null" }),
    foreign("a page of another port", { origin: `http://${TEST_HOST}:81` }),
    foreign("a page of another site", { ...page, "sec-fetch-site": "cross-site" }),
    foreign("a page of a neighbour", { ...page, "sec-fetch-site": "same-site" }),
    {
      name: "a form of a page of ours",
      kind: "form",
      call: { token: null, headers: { cookie, ...page, "content-type": "text/plain" } },
    },
  ];
}

function secretOf(page: Readonly<Record<string, string>>): string {
  return (page.cookie ?? "").split("=")[1] ?? "";
}

/** Reads `[of safe methods, of unsafe ones]` for members. */
function ofMember(kind: Kind, access: Access): readonly [Expected, Expected] {
  const isAgents = access === "agent" || access === "own-only";
  if (access === "operator") return kind === "form" ? ["skip", 415] : [403, 403];
  if (kind === "form") return ["skip", access === "agent" ? 401 : 415];
  if (kind === "foreign page") return [isAgents ? 401 : "passes", access === "agent" ? 401 : 403];
  if (isAgents) return [401, 401];
  return ["passes", kind === "viewer" ? 403 : "passes"];
}

function ofAgent(kind: Kind, access: Access): Expected {
  if (access === "minimum") return kind === "itself" ? "passes" : "minimum";
  if (access === "metrics" || access === "people" || access === "operator") return 401;
  if (kind === "itself") return "passes";
  if (kind === "superseded") return 409;
  if (access === "known") return "passes";
  if (access === "below") return kind === "child" ? "passes" : 401;
  if (access !== "hierarchy") return 401;
  if (kind === "claimant") return 401;
  return kind === "stranger" ? 403 : "passes";
}

function expectedOf({ access, but }: RouteAccess, who: Identity, isUnsafe: boolean): Expected {
  if (access === "open") return "skip";
  const exception = but?.[who.name];
  if (exception !== undefined) return exception;
  if (who.kind === "nobody") return access === "minimum" ? "minimum" : 401;
  const isMember = ["viewer", "editor", "foreign page", "form"].includes(who.kind);
  if (!isMember) return ofAgent(who.kind, access);
  return ofMember(who.kind, access)[isUnsafe ? 1 : 0];
}

function targetOf(path: string, workspaceId: string): string {
  return path
    .replace(":id", workspaceId)
    .replace(":key", "K")
    .replace(/:\w+/, randomUUID())
    .replace(/\*$/, "notes.md");
}

async function ask(name: string, expected: Expected, who: Identity): Promise<string | null> {
  const [method = "", path = ""] = name.split(" ");
  const entry = ROUTE_ACCESS[name];
  const isUnsafe = method !== "GET";
  const named = { id, workspace_id: id, agent_card: {} };
  // What is meant to pass is stopped by its body, so that nothing happens.
  const body = expected === "passes" ? "[]" : JSON.stringify({ ...named, ...bodyOf(entry) });
  const target = `${targetOf(path, id)}${who.query === undefined ? "" : `?${who.query}`}`;
  const response = await t.call(method, target, { ...who.call, ...(isUnsafe ? { body } : {}) });
  if ((response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    await response.body?.cancel();
    return expected === "passes" ? null : `${who.name} → a stream, not ${expected}`;
  }
  const text = await response.text();
  const told = `${who.name} → ${response.status} ${text.slice(0, 120)}, not ${expected}`;
  if (expected === "minimum") {
    const keys = Object.keys(JSON.parse(text) as object).sort();
    return response.status === 200 && keys.join() === "id,status" ? null : told;
  }
  if (expected !== "passes") return response.status === expected ? null : told;
  return [401, 403, 410, 500].includes(response.status) ? told : null;
}

function bodyOf(entry: RouteAccess | undefined): object {
  return typeof entry?.body === "object" && entry.body !== null ? entry.body : {};
}

const names = Object.keys(ROUTE_ACCESS);

/** Of those that differ in their disguise only, so many are tried on each; on the next one others. */
const SHARE: Partial<Record<Kind, number>> =
  process.env.MOLECULE_TEST_LONG === "1" ? {} : { nobody: 3, "foreign page": 2 };

/** Who tries the route or procedure at this place of its list: everybody, in the long form. */
function triedBy(place: number): Identity[] {
  return identities.filter((who) => {
    const share = SHARE[who.kind];
    if (share === undefined) return true;
    const alike = identities.filter(({ kind }) => kind === who.kind);
    const turned = (alike.indexOf(who) - place * share) % alike.length;
    return (turned + alike.length) % alike.length < share;
  });
}

describe("every route", () => {
  it("is listed with whom it is for, and nothing else is", async () => {
    const hub = await EventHub.start(t.deps);
    const streams = await OpenStreams.start(t.deps);
    const routes = allRoutes({ hub, streams, notifies: new RateLimiter(0) });
    const served = routes.map(({ method, path }) => `${method} ${path}`);
    expect([...served].sort()).toEqual([...names].sort());
    const isOpen = ({ guard }: (typeof routes)[number]) => guard.kind === "open";
    expect(served.filter((_, at) => isOpen(routes[at] as (typeof routes)[number])).sort()).toEqual(
      names
        .filter((name) => ["open", "minimum", "metrics"].includes(ROUTE_ACCESS[name]?.access ?? ""))
        .sort(),
    );
    await streams.stop();
    await hub.stop();
  });

  it.each(names)("%s lets nobody through whom it is not for", async (name) => {
    const entry = ROUTE_ACCESS[name];
    if (entry === undefined) throw new Error("invariant: it is listed");
    const isUnsafe = !name.startsWith("GET ");
    const wrong = await Promise.all(
      triedBy(names.indexOf(name)).map(async (who) => {
        const expected = expectedOf(entry, who, isUnsafe);
        return expected === "skip" ? null : await ask(name, expected, who);
      }),
    );
    expect(wrong.filter((one) => one !== null)).toEqual([]);
  });

  it.each(names.filter((name) => name.includes(":id") || name.includes("/registry/")))(
    "%s tells that a workspace is removed before it asks who is there",
    async (name) => {
      const [method = "", path = ""] = name.split(" ");
      const entry = ROUTE_ACCESS[name];
      if (entry === undefined || name.endsWith("check-access")) return;
      const body = JSON.stringify({ id: removed, workspace_id: removed, agent_card: {} });
      for (const token of [null, "nonsense", ownToken]) {
        const response = await t.call(method, targetOf(path, removed), {
          token,
          ...(method === "GET" ? {} : { body }),
        });
        expect([token, response.status]).toEqual([token, entry.removedIs ?? 410]);
      }
      const itself = await t.call(method, targetOf(path, removed), {
        token: removedToken,
        ...(method === "GET" ? {} : { body }),
      });
      // Its own token is told the same, where the handler tells it: that it is gone.
      const isTold = [404, 410].includes(itself.status) || entry.access === "people";
      expect([itself.status, isTold]).toEqual([itself.status, true]);
    },
  );

  it("has changed nothing for any of them", async () => {
    expect(await changes.latest(5)).toEqual([]);
  });
});

describe("every procedure", () => {
  const known: Record<string, unknown> = { ...appRouter._def.procedures };
  const procedures: Procedure[] = Object.entries(known).map(([path, one]) => ({
    path,
    isUnsafe: (one as { _def: { type: string } })._def.type === "mutation",
  }));

  it("is listed with whom it is for, and nothing else is", () => {
    expect(procedures.map(({ path }) => path).sort()).toEqual(Object.keys(PROCEDURE_ACCESS).sort());
  });

  it.each(procedures)("$path lets nobody through whom it is not for", async (one) => {
    const wrong = await Promise.all(
      triedBy(procedures.indexOf(one)).map((who) => askProcedure(one, who)),
    );
    expect(wrong.filter((one) => one !== null)).toEqual([]);
  });

  it("has changed nothing for any of them", async () => {
    expect(await changes.latest(5)).toEqual([]);
  });
});

interface Procedure {
  readonly path: string;
  readonly isUnsafe: boolean;
}

async function askProcedure({ path, isUnsafe }: Procedure, who: Identity): Promise<string | null> {
  const expected = ofProcedure(who.kind, PROCEDURE_ACCESS[path] === "write", isUnsafe);
  // Signing out has no input that could stop it.
  const isSkipped = expected === "skip" || (expected === "passes" && path === "session.signOut");
  if (isSkipped) return null;
  const query = who.query === undefined ? "" : `?${who.query}`;
  const body = expected === "passes" ? "[]" : JSON.stringify({ id, workspaceId: id });
  const response = await t.call(isUnsafe ? "POST" : "GET", `/trpc/${path}${query}`, {
    ...who.call,
    ...(isUnsafe ? { body } : {}),
  });
  const isDenied = [401, 403].includes(response.status);
  const isRight = expected === "passes" ? !isDenied : response.status === expected;
  return isRight ? null : `${who.name} → ${response.status}, not ${expected}`;
}

/** No agent calls procedures. */
function ofProcedure(kind: Kind, isWrite: boolean, isUnsafe: boolean): Expected {
  if (kind === "foreign page") return isUnsafe ? 403 : "passes";
  if (kind === "form") return isUnsafe ? 415 : "skip";
  if (kind === "viewer") return isWrite ? 403 : "passes";
  return kind === "editor" ? "passes" : 401;
}

describe("the WebSocket", () => {
  it("lets nobody through whom it is not for", async () => {
    const base = await t.listen();
    const expected = (who: Identity): number => {
      if (who.kind === "foreign page") return 403;
      if (who.kind === "superseded") return 409;
      const isSomebodyElse = who.kind === "claimant" || who.name.endsWith(" as system:");
      return who.kind === "nobody" || isSomebodyElse ? 401 : 101;
    };
    const statuses = await Promise.all(identities.map((who) => upgradeAs(base, who)));
    expect(statuses.map((status, at) => [identities[at]?.name, status])).toEqual(
      identities.map((who) => [who.name, expected(who)]),
    );
  });
});

/** The status of an upgrade to the event stream; 101 when it was taken. */
function upgradeAs(base: string, { call, query }: Identity): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(`${base}/ws${query === undefined ? "" : `?${query}`}`, {
      headers: {
        host: TEST_HOST,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...(typeof call.token === "string" ? { authorization: `Bearer ${call.token}` } : {}),
        ...call.headers,
      },
    });
    asked.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", reject);
    asked.end();
  });
}

describe("a credential that was good a moment ago", () => {
  it("is refused on every route from the moment it is not", async () => {
    const workspaceId = await t.createWorkspace({ name: "Short" });
    const minted = await t.tokenOf(workspaceId);
    const beat = (token: string) =>
      t.call("POST", "/registry/heartbeat", { token, body: { workspace_id: workspaceId } });
    const look = (token: string) => t.call("GET", `/workspaces/${workspaceId}/model`, { token });
    await runAt(t, workspaceId, "127.0.0.1:9");
    const first = `wst_${"f".repeat(43)}`;
    await t.test.sql`
      INSERT INTO workspace_tokens (workspace_id, kind, attempt_no, token_sha256, prefix)
      VALUES (${workspaceId}, 'attempt', 1, ${Buffer.from(tokenDigest(first))}, 'ffffffff')`;
    for (const token of [first, minted]) {
      for (let n = 0; n < 3; n += 1) expect((await beat(token)).status).toBe(200);
      expect((await look(token)).status).toBe(200);
    }
    await runAt(t, workspaceId, "127.0.0.1:9");
    expect([(await beat(first)).status, (await look(first)).status]).toEqual([409, 409]);
    await t.test.sql`UPDATE workspace_tokens SET revoked_at = cp_now()
      WHERE token_sha256 = ${Buffer.from(tokenDigest(minted))}`;
    expect([(await beat(minted)).status, (await look(minted)).status]).toEqual([401, 401]);
    const another = await t.tokenOf(workspaceId);
    for (let n = 0; n < 3; n += 1) expect((await beat(another)).status).toBe(200);
    await t.call("DELETE", `/workspaces/${workspaceId}`);
    expect([(await beat(another)).status, (await look(another)).status]).toEqual([410, 410]);
  });
});
