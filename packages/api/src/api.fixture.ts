import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import path from "node:path";
import { inspect } from "node:util";
import type { Database } from "@molecule/db/database";
import { ensureOwner } from "@molecule/db/members/ensure-owner";
import { NO_PULSE, type Pulse } from "@molecule/db/processes/pulse";
import { createCipher, type SecretCipher } from "@molecule/db/secrets/cipher";
import { addSignInLink } from "@molecule/db/sessions/sign-in-links";
import { mintToken, tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import type { MemberRole } from "@molecule/domain/sets";
import { DEFAULT_SETTLE_SETTINGS } from "@molecule/domain/settle";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { KnownTargets } from "./a2a/known-targets.ts";
import { startDispatcher } from "./a2a/start-dispatcher.ts";
import { type Resolve, resolveAll } from "./adapters/public-address.ts";
import { createRuntimeFile } from "./adapters/runtime-file.ts";
import type { Deps, Platform, WorkerClient } from "./deps.ts";
import { createLiveChannel } from "./events/live-channel.ts";
import { Metrics } from "./http/metrics.ts";
import { createPluginSources, type PluginSettings } from "./services/plugins/plugin-sources.ts";
import { type Api, startApi } from "./start-api.ts";

/** The bearer of the operator in tests. */
export const TEST_ADMIN_TOKEN = "test-admin-token";
/** What tokens of attempts are derived from in tests. */
export const TEST_TOKEN_KEY: Uint8Array = new Uint8Array(32).fill(5);
/** Host of requests that do not come over a socket. */
export const TEST_HOST = "molecule.test";

const TEST_PLUGINS: PluginSettings = {
  localDir: path.resolve(import.meta.dirname, "../../templates/plugins-data"),
  // A port that nothing listens on.
  github: { baseUrl: new URL("http://127.0.0.1:1"), token: null, redirectHosts: [] },
  allowsUnpinned: false,
  allowed: [],
  bodyMaxBytes: 65_536,
  fetchTimeoutMs: 30_000,
  maxBytes: 104_857_600,
};

const noWorker = () => Promise.reject(new Error("no worker in this test"));
/** Nobody answers. */
export const NO_WORKER: WorkerClient = {
  call: noWorker,
  callAll: () => Promise.resolve([]),
  openTerminal: noWorker,
};

/** A request in short. A body that is no string is sent as JSON. */
export interface TestCall {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** `admin` when absent; null sends none. */
  readonly token?: string | null;
  readonly ip?: string;
}

/** An API on a database of its own, without worker and agents. */
export interface TestApi extends AsyncDisposable {
  readonly test: TestDatabase;
  readonly deps: Deps;
  readonly api: Api;
  /** What was logged at `warn` or above. */
  readonly warnings: string[];
  call(method: string, target: string, call?: TestCall): Promise<Response>;
  /** Creates a workspace by the plain route; answers its id. */
  createWorkspace(body?: Record<string, unknown>): Promise<string>;
  /** A live token of a workspace. */
  tokenOf(workspaceId: string): Promise<string>;
  /** Headers of a signed-in page of ours. */
  signIn(role?: MemberRole): Promise<Readonly<Record<string, string>>>;
  /** A one-time link's secret. */
  signInLink(role?: MemberRole): Promise<string>;
  /** Serves on a port of its own until disposed; answers `http://127.0.0.1:<port>`. */
  listen(): Promise<string>;
}

/** What a test may put in place of the usual parts. */
export interface TestApiOptions {
  readonly platform?: Partial<Platform>;
  readonly worker?: WorkerClient;
  readonly now?: () => Date;
  readonly pulse?: Pulse;
  /** Absent: one with a key of its own. */
  readonly cipher?: SecretCipher;
  /** Hears everything that is logged, at every level, as one text each. */
  readonly onLog?: (text: string) => void;
  /** Opens the pool of the API; the usual one is direct. */
  readonly openDb?: (url: string) => Database;
  /** Where plugins come from; the usual ones are those we ship, and no address of GitHub answers. */
  readonly plugins?: Partial<PluginSettings>;
  /** Resolves the names that a fetch is sent on to. */
  readonly resolve?: Resolve;
  /** The file that machines boot with; absent: a file of ours, to have one. */
  readonly runtimeBundle?: string;
  /** How often waiting messages are looked for without a hint. Default 50 ms. */
  readonly pollMs?: number;
}

/** Starts an API; dispose it. */
export async function createTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const test = await createTestDatabase();
  const warnings: string[] = [];
  const db = options.openDb?.(test.url) ?? test.db;
  const deps = depsOf(db, warnings, options);
  const api = await startApi(deps, async () => null);
  const servers: Server[] = [];
  let signIns = 0;

  const call: TestApi["call"] = async (method, target, { body, headers, token, ip } = {}) => {
    const bearer = token === undefined ? TEST_ADMIN_TOKEN : token;
    const isText = typeof body === "string" || body instanceof Uint8Array;
    return await api.answer(
      new Request(`http://${TEST_HOST}${target}`, {
        method,
        headers: {
          host: TEST_HOST,
          ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: isText ? new Uint8Array(Buffer.from(body)) : JSON.stringify(body) }),
      }),
      { ip: ip ?? "192.0.2.1" },
    );
  };
  const signInLink = async (role: MemberRole = "owner") => {
    const secret = randomBytes(32).toString("base64url");
    await test.db.transaction(async (tx) => {
      const memberId = role === "owner" ? (await ensureOwner(tx)).id : await addMember(test, role);
      await addSignInLink(tx, { tokenSha256: tokenDigest(secret), memberId });
    });
    return secret;
  };
  return {
    test,
    deps,
    api,
    warnings,
    call,
    signInLink,
    createWorkspace: async (body = {}) => {
      const given = { name: "Ada", runtime: "demo", ...body };
      const response = await call("POST", "/workspaces", { body: given });
      const created = (await response.json()) as { id: string };
      if (response.status !== 201) throw new Error(`not created: ${JSON.stringify(created)}`);
      return created.id;
    },
    tokenOf: async (id) => (await test.db.transaction((tx) => mintToken(tx, id, "minted"))).token,
    signIn: async (role) => {
      const body = new URLSearchParams({ token: await signInLink(role) }).toString();
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      signIns += 1;
      // From an address of its own: wrong attempts of a test never count against its sign-ins.
      const ip = `2001:db8::${signIns.toString(16)}`;
      const response = await call("POST", "/sign-in", { body, headers, token: null, ip });
      const cookie = response.headers.getSetCookie()[0]?.split(";")[0];
      if (cookie === undefined) {
        throw new Error(`no session: ${response.status} ${await response.text()}`);
      }
      return { cookie, origin: `http://${TEST_HOST}`, "sec-fetch-site": "same-origin" };
    },
    listen: async () => {
      const server = createServer((req, res) => void api.serve(req, res));
      server.on("upgrade", (req, socket, head) => api.upgrade(req, socket, head));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      servers.push(server);
      const address = server.address();
      return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    },
    [Symbol.asyncDispose]: async () => {
      await api.stop();
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
      await deps.dispatcher.stop(0);
      if (db !== test.db) await db.close();
      await test.close();
    },
  };
}

function depsOf(db: Database, warnings: string[], options: TestApiOptions): Deps {
  const cipher = options.cipher ?? createCipher(randomBytes(32));
  const keep = (data: object, message: string) => {
    const error = "err" in data && data.err instanceof Error ? ` ${data.err.stack}` : "";
    warnings.push(`${message}${error}`);
    tell(data, message);
  };
  const tell = (data: object, message: string) =>
    options.onLog?.(`${message} ${inspect(data, { depth: 8, maxStringLength: null })}`);
  const log = { debug: tell, info: tell, warn: keep, error: keep };
  return {
    db,
    cipher,
    tokenKey: TEST_TOKEN_KEY,
    runtimeFile: createRuntimeFile(options.runtimeBundle ?? import.meta.filename),
    log,
    metrics: new Metrics(),
    platform: {
      id: randomUUID(),
      version: "0.0.0-test",
      gitSha: "dev",
      publicUrl: `http://${TEST_HOST}`,
      adminToken: TEST_ADMIN_TOKEN,
      corsOrigins: [],
      rateLimit: 0,
      settle: DEFAULT_SETTLE_SETTINGS,
      allowCidrs: [],
      a2aIdleTimeoutMs: 20_000,
      startTimeoutMs: null,
      reach: "auto",
      orgId: null,
      servesCanvas: false,
      isDevMode: false,
      givesTestTokens: true,
      ...options.platform,
    },
    worker: options.worker ?? NO_WORKER,
    live: createLiveChannel((error) => keep({ err: error }, "a live listener failed")),
    templatesDir: path.resolve(import.meta.dirname, "../../templates/data"),
    orgTemplatesDir: path.resolve(import.meta.dirname, "../../templates/org-data"),
    plugins: createPluginSources({
      settings: { ...TEST_PLUGINS, ...options.plugins },
      allowCidrs: options.platform?.allowCidrs ?? [],
      resolve: options.resolve ?? resolveAll,
      log,
      now: options.now ?? (() => new Date()),
    }),
    knownTargets: new KnownTargets(),
    dispatcher: startDispatcher({
      db,
      log,
      cipher,
      allowCidrs: options.platform?.allowCidrs ?? [],
      a2aIdleTimeoutMs: options.platform?.a2aIdleTimeoutMs ?? 20_000,
      pollMs: options.pollMs ?? 50,
    }),
    pulse: options.pulse ?? NO_PULSE,
    now: options.now ?? (() => new Date()),
  };
}

async function addMember(test: TestDatabase, role: MemberRole): Promise<string> {
  const [row] = await test.sql`
    INSERT INTO members (name, role) VALUES (${`A ${role}`}, ${role}) RETURNING id`;
  return String(row?.id);
}
