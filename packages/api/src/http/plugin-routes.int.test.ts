import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { type MadeEntry, makeTarGz } from "@molecule/templates/archive/archive.fixture";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { resolveAll } from "../adapters/public-address.ts";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { createPluginSources, type PluginSettings } from "../services/plugins/plugin-sources.ts";
import { type Answer, type FakeGithub, startFakeGithub } from "./github.fixture.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** What must come out nowhere: a path, a token, a header, a resolver's text, a stack. */
const MARKERS = {
  path: "marker-path-7f31",
  token: "marker-token-8a42",
  header: "marker-header-9b53",
  resolver: "marker-resolver-ac64",
  stack: "marker-stack-bd75",
};
const LEAKS = Object.values(MARKERS).join(" ");

let github: FakeGithub;
let elsewhere: FakeGithub;
let api: TestApi;
let local: string;
let id: string;
let token: string;
const logged: string[] = [];

beforeAll(async () => {
  github = await startFakeGithub();
  elsewhere = await startFakeGithub();
  local = await mkdtemp(path.join(tmpdir(), `${MARKERS.path}-`));
  api = await createTestApi({
    onLog: (entry) => logged.push(entry),
    resolve: async () => {
      throw new Error(`getaddrinfo ENOTFOUND ${MARKERS.resolver}`);
    },
    plugins: {
      localDir: local,
      github: {
        baseUrl: new URL(`${github.origin}/`),
        token: MARKERS.token,
        redirectHosts: [new URL(elsewhere.origin).host, "archives.test"],
      },
      allowed: ["local://*", "github://acme/*"],
      maxBytes: 3 * 1_048_576,
    },
  });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await github[Symbol.asyncDispose]();
  await elsewhere[Symbol.asyncDispose]();
  await rm(local, { recursive: true, force: true });
});
async function begin(): Promise<void> {
  id = await api.createWorkspace({ name: "Ada" });
  token = await api.tokenOf(id);
  github.seen.length = 0;
}

const manifestOf = (name: string, more = "") => `name: ${name}\nversion: 1.2.0\n${more}`;
const rowOf = (name: string) => ({
  name,
  version: "1.2.0",
  description: "",
  author: "",
  tags: [],
  skills: [],
  runtimes: [],
});

async function offer(name: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(local, name, file)), { recursive: true });
    await writeFile(path.join(local, name, file), text);
  }
}

/** Serves entries below one folder, as archives of repositories are. */
async function serve(ref: string, entries: readonly MadeEntry[]): Promise<Buffer> {
  const archive = await makeTarGz(
    entries.map((entry) => ({ ...entry, name: entry.name.replace(/^(?!\/)/, "tools-abc/") })),
  );
  answer(ref, (_req, res) => res.writeHead(200).end(archive));
  return archive;
}

const answer = (ref: string, how: Answer) => github.answers.set(`/acme/tools/tar.gz/${ref}`, how);
const HONEST: readonly MadeEntry[] = [
  { name: "plugin.yaml", content: manifestOf("tools", "runtimes: [claude_code, demo]\n") },
  { name: "skills/a.md", content: "# a" },
];

const call = async (method: string, rest: string, body?: unknown) => {
  const given = body === undefined ? {} : { body };
  const response = await api.call(method, `/workspaces/${id}${rest}`, { token, ...given });
  return [response.status, (await response.json()) as Record<string, unknown>] as const;
};
const install = (source: string, sha256?: string) => call("POST", "/plugins", { source, sha256 });
const files = async () => {
  const rows = await api.test.sql`
    SELECT path FROM managed_files WHERE workspace_id = ${id} AND deleted_at IS NULL
      AND path LIKE 'plugins/%' ORDER BY path`;
  return rows.map((row) => row.path);
};
const row = async () => {
  const [found] = await api.test.sql`
    SELECT desired_gen::int, config_version::int FROM workspaces WHERE id = ${id}`;
  return found;
};
/** Other settings for as long as something goes on. */
async function under<T>(other: Partial<PluginSettings>, work: () => Promise<T>): Promise<T> {
  const { settings } = api.deps.plugins;
  const before = { ...settings };
  Object.assign(settings, other);
  try {
    return await work();
  } finally {
    Object.assign(settings, before);
  }
}

describe("what the operator offers", () => {
  beforeAll(begin);

  it("is listed by runtime; a folder that is no plugin is left out, with a line in the log", async () => {
    await offer("plain", { "plugin.yaml": manifestOf("plain") });
    await offer("codex-only", { "plugin.yaml": manifestOf("codex-only", "runtimes: [codex]\n") });
    await offer("broken", { "plugin.yaml": "version: 1\n" });
    const all = await api.call("GET", "/plugins", { token });
    expect(await all.json()).toEqual([
      { ...rowOf("codex-only"), runtimes: ["codex"] },
      rowOf("plain"),
    ]);
    const forDemo = await api.call("GET", "/plugins?runtime=demo", { token });
    expect(await forDemo.json()).toEqual([rowOf("plain")]);
    expect(await call("GET", "/plugins/available")).toEqual([200, [rowOf("plain")]]);
    expect(logged.some((line) => line.includes("'broken'"))).toBe(true);
    const sources = await api.call("GET", "/plugins/sources", { token });
    expect(await sources.json()).toEqual({ schemes: ["github", "local"] });
  });
});

describe("an installation", () => {
  beforeEach(begin);

  it("PL8: is one generation with its files, done again it is none, and goes as a whole", async () => {
    await offer("mine", {
      "plugin.yaml": manifestOf("mine", "runtimes: [codex]\n"),
      "skills/a.md": "# a",
      ".env": "SECRET=1",
    });
    const before = await row();
    const [status, body] = await install("mine");
    expect([status, body]).toEqual([
      200,
      {
        status: "installed",
        plugin: "mine",
        source: "local://mine",
        version: "1.2.0",
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    expect(await files()).toEqual(["plugins/mine/plugin.yaml", "plugins/mine/skills/a.md"]);
    expect(await row()).toEqual({
      desired_gen: before?.desired_gen + 1,
      config_version: before?.config_version + 1,
    });
    expect(await call("GET", "/plugins")).toEqual([
      200,
      [
        {
          ...rowOf("mine"),
          runtimes: ["codex"],
          supported_on_runtime: false,
          source: "local://mine",
          sha256: body.sha256,
        },
      ],
    ]);
    const config = await call("GET", "/files/config.yaml");
    expect(config[1].content).toContain('plugins:\n  - "mine"');
    expect((await install("local://mine"))[0]).toBe(200);
    expect(await row()).toMatchObject({ desired_gen: before?.desired_gen + 1 });
    expect(await call("DELETE", "/plugins/mine")).toEqual([
      200,
      { status: "uninstalled", plugin: "mine" },
    ]);
    expect([await files(), await row()]).toEqual([
      [],
      { desired_gen: before?.desired_gen + 2, config_version: before?.config_version + 2 },
    ]);
    expect((await call("GET", "/files/config.yaml"))[1].content).not.toContain("plugins:");
    expect((await call("DELETE", "/plugins/mine"))[0]).toBe(404);
    expect((await call("DELETE", "/plugins/..%2Fx"))[0]).toBe(400);
  });

  it("PL8: of a newer version leaves nothing of the older one, and keeps its files from edits", async () => {
    await serve("refs/tags/v1", HONEST);
    await serve("refs/tags/v2", [
      { name: "plugin.yaml", content: "name: tools\nversion: 2.0.0\n" },
      { name: "other.md", content: "other" },
    ]);
    await install("github://acme/tools#v1");
    expect((await install("github://acme/tools#v2"))[1]).toMatchObject({ version: "2.0.0" });
    expect(await files()).toEqual(["plugins/tools/other.md", "plugins/tools/plugin.yaml"]);
    const edit = await call("PUT", "/files/plugins/tools/other.md", { content: "mine" });
    expect(edit).toMatchObject([409, { code: "conflict", path: "plugins/tools/other.md" }]);
    expect((await call("DELETE", "/files/plugins/tools/other.md"))[0]).toBe(409);
    // A replacement of all files leaves plugins alone; a list that names the plugin is not one of it.
    expect((await call("PUT", "/files", { files: { "notes.md": "n" } }))[0]).toBe(200);
    expect(await files()).toHaveLength(2);
    const yaml = String((await call("GET", "/files/config.yaml"))[1].content);
    await call("PUT", "/files/config.yaml", { content: `${yaml}\nunknown: 1\n` });
    await call("DELETE", "/plugins/tools");
    expect((await call("GET", "/files/config.yaml"))[1].content).not.toContain("tools");
  });

  it("does not touch a folder that somebody made by hand", async () => {
    await offer("own", { "plugin.yaml": manifestOf("own") });
    await call("PUT", "/files/plugins/own/notes.md", { content: "mine" });
    expect((await install("own"))[0]).toBe(409);
    expect(await files()).toEqual(["plugins/own/notes.md"]);
  });

  it("says what could run on another runtime", async () => {
    await offer("plain", { "plugin.yaml": manifestOf("plain") });
    await serve("refs/tags/v1", HONEST);
    await install("plain");
    await install("github://acme/tools#v1");
    const [status, body] = await call("GET", "/plugins/compatibility?runtime=codex");
    expect([status, body]).toEqual([
      200,
      {
        target_runtime: "codex",
        compatible: [rowOf("plain")],
        incompatible: [{ ...rowOf("tools"), runtimes: ["claude_code", "demo"] }],
        all_compatible: false,
      },
    ]);
    expect((await call("GET", "/plugins/compatibility"))[0]).toBe(400);
  });

  it("PL2: is asked for as a tag or a commit, with the operator's token, and may be checked", async () => {
    const archive = await serve("refs/tags/v1", HONEST);
    await serve(COMMIT, HONEST);
    const [, { sha256 }] = await install("github://acme/tools#v1");
    expect(github.seen).toEqual([
      { url: "/acme/tools/tar.gz/refs/tags/v1", authorization: `Bearer ${MARKERS.token}` },
    ]);
    const list = [
      `${digest(String(HONEST[0]?.content))}  plugin.yaml\n`,
      `${digest("# a")}  skills/a.md\n`,
    ];
    expect(sha256).toBe(digest(list.join("")));
    expect((await install(`github://acme/tools#${COMMIT}`, String(sha256).toUpperCase()))[0]).toBe(
      200,
    );
    expect((await install("github://acme/tools#v1", digest(archive)))[0]).toBe(200);
    expect((await install("github://acme/tools#v1", digest("other")))[0]).toBe(422);
    await serve("refs/heads/main", HONEST);
    expect((await install("github://acme/tools#main"))[0]).toBe(404);
    await under({ allowsUnpinned: true }, async () => {
      expect((await install("github://acme/tools#main"))[0]).toBe(200);
    });
  });

  it("PL7: follows a redirect to its own origin, never to a private address, and takes no token along", async () => {
    await serve("refs/tags/v1", HONEST);
    const to =
      (location: string): Answer =>
      (_req, res) =>
        res.writeHead(302, { location }).end();
    answer("refs/tags/moved", to("/acme/tools/tar.gz/refs/tags/v1"));
    expect((await install("github://acme/tools#moved"))[0]).toBe(200);
    elsewhere.answers.set("/a.tgz", (_req, res) => res.end("x"));
    for (const location of [
      `${elsewhere.origin}/a.tgz`,
      "http://169.254.169.254/latest",
      "http://archives.test/a.tgz",
      "http://user:pass@127.0.0.1/",
      "file:///etc/passwd",
      "http://[",
      "/acme/tools/tar.gz/refs/tags/circle",
    ]) {
      answer("refs/tags/circle", to(location));
      expect((await install("github://acme/tools#circle"))[0]).toBe(502);
    }
    expect(elsewhere.seen).toEqual([]);
    const open = {
      ...api.deps.plugins.settings.github,
      baseUrl: new URL(`${elsewhere.origin}/x/`),
    };
    await under({ github: { ...open, redirectHosts: [] } }, async () => {
      elsewhere.answers.set("/x/acme/tools/tar.gz/refs/tags/v1", (_req, res) =>
        res.writeHead(302, { location: `${github.origin}/acme/tools/tar.gz/refs/tags/v1` }).end(),
      );
      expect((await install("github://acme/tools#v1"))[0]).toBe(502);
    });
  });
});

describe("a source", () => {
  const sourcesOf = () =>
    createPluginSources({
      settings: { ...api.deps.plugins.settings },
      allowCidrs: ["127.0.0.0/8"],
      resolve: resolveAll,
      log: { info: () => undefined },
      now: () => new Date(),
    });
  const { signal } = new AbortController();

  it("PL7: is followed to a host of the operator's list, without the token", async () => {
    const archive = await serve("refs/tags/v1", HONEST);
    elsewhere.seen.length = 0;
    elsewhere.answers.set("/a.tgz", (_req, res) => res.end(archive));
    answer("refs/tags/moved", (_req, res) =>
      res.writeHead(302, { location: `${elsewhere.origin}/a.tgz` }).end(),
    );
    const wanted = { source: "github://acme/tools#moved", sha256: null };
    expect((await sourcesOf().fetch(wanted, signal)).plugin).toMatchObject({ name: "tools" });
    expect(elsewhere.seen).toEqual([{ url: "/a.tgz", authorization: undefined }]);
  });

  it("is asked for two plugins at a time, and whoever leaves the queue leaves nothing behind", async () => {
    const archive = await serve("refs/tags/v1", HONEST);
    const waiting: (() => void)[] = [];
    answer("refs/tags/busy", (_req, res) => waiting.push(() => res.end(archive)));
    const sources = sourcesOf();
    const busy = { source: "github://acme/tools#busy", sha256: null };
    const both = [sources.fetch(busy, signal), sources.fetch(busy, signal)];
    await waitUntil("two are asked for", () => waiting.length === 2);
    const leaving = new AbortController();
    const third = sources.fetch(busy, leaving.signal);
    leaving.abort();
    await expect(third).rejects.toMatchObject({ code: "upstream_timeout" });
    const fourth = sources.fetch({ ...busy, source: "github://acme/tools#v1" }, signal);
    for (const end of waiting) end();
    expect(await Promise.all([...both, fourth])).toHaveLength(3);
    expect(waiting).toHaveLength(2);
  });
});

const digest = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");

interface Failure {
  readonly name: string;
  readonly source?: string;
  readonly body?: unknown;
  readonly arrange?: () => Promise<unknown> | unknown;
  readonly under?: Partial<PluginSettings>;
  readonly expected: readonly [number, Record<string, unknown>];
}

/** What every failure of a source says besides its code. */
const of = (source: string) => ({ scheme: source.split(":")[0], source });
const TOOLS = "github://acme/tools#v9";
const at = (how: Answer) => () => answer("refs/tags/v9", how);
const entries =
  (...made: MadeEntry[]) =>
  () =>
    serve("refs/tags/v9", [{ name: "plugin.yaml", content: manifestOf("tools") }, ...made]);
const leaking =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_req, res) =>
    res
      .writeHead(status, { "x-leak": LEAKS, ...headers })
      .end(JSON.stringify({ message: LEAKS, stack: `Error: ${LEAKS}\n  at ${MARKERS.path}` }));

const FAILURES: readonly Failure[] = [
  { name: "no source", source: "", expected: [400, { available_schemes: ["github", "local"] }] },
  { name: "no body", body: "", expected: [400, { available_schemes: ["github", "local"] }] },
  {
    name: "an unknown scheme",
    source: `ftp://${MARKERS.path}`,
    expected: [400, { available_schemes: ["github", "local"] }],
  },
  {
    name: "a source with a password",
    source: `github://x:${MARKERS.token}@acme/tools#v1`,
    expected: [400, { available_schemes: ["github", "local"] }],
  },
  {
    name: "a checksum that is none",
    body: { source: "plain", sha256: MARKERS.token },
    expected: [400, {}],
  },
  { name: "JSON that is none", body: `{"source": ${MARKERS.path}`, expected: [400, {}] },
  {
    name: "a body that is too large",
    body: { source: "x".repeat(70_000) },
    expected: [413, { code: "payload_too_large" }],
  },
  {
    name: "what the organisation does not allow",
    source: "github://other/tools#v1",
    expected: [403, { code: "forbidden", ...of("github://other/tools#v1") }],
  },
  { name: "no pin", source: "github://acme/tools", expected: [422, of("github://acme/tools")] },
  { name: "no such folder", source: "nowhere", expected: [404, of("local://nowhere")] },
  { name: "no such tag", source: TOOLS, expected: [404, { code: "not_found", ...of(TOOLS) }] },
  {
    name: "a limit of requests",
    arrange: at(
      leaking(403, {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(Math.round(Date.now() / 1000) + 3600),
      }),
    ),
    expected: [
      502,
      {
        next: expect.stringMatching(/^Try again after \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/),
        retry_after: expect.any(Number),
        ...of(TOOLS),
      },
    ],
  },
  {
    name: "a limit with a time to wait",
    arrange: at(leaking(429, { "retry-after": "17" })),
    expected: [502, { retry_after: 17 }],
  },
  { name: "a refusal", arrange: at(leaking(403)), expected: [502, of(TOOLS)] },
  { name: "an error", arrange: at(leaking(500)), expected: [502, of(TOOLS)] },
  {
    name: "a redirect to a private address",
    arrange: at(leaking(302, { location: `http://10.0.0.1/${MARKERS.path}` })),
    expected: [502, of(TOOLS)],
  },
  {
    name: "a redirect to a name that does not resolve",
    arrange: at(leaking(302, { location: "http://archives.test/x" })),
    expected: [502, of(TOOLS)],
  },
  { name: "a page instead of an archive", arrange: at(leaking(200)), expected: [502, of(TOOLS)] },
  {
    name: "nothing instead of an archive",
    arrange: at((_req, res) => res.end()),
    expected: [502, {}],
  },
  {
    name: "no HTTP",
    arrange: at((req) => req.socket.end(`${LEAKS}\r\n\r\n`)),
    expected: [502, of(TOOLS)],
  },
  {
    name: "an archive that breaks off on its way",
    arrange: async () => {
      const archive = await serve("refs/tags/v9", HONEST);
      at((req, res) => {
        res.writeHead(200, { "content-length": archive.length });
        res.write(archive.subarray(0, 40), () => req.socket.destroy());
      })();
    },
    expected: [502, of(TOOLS)],
  },
  {
    name: "half an archive",
    arrange: async () => {
      const archive = await serve("refs/tags/v9", HONEST);
      at((_req, res) => res.end(archive.subarray(0, archive.length / 2)))();
    },
    expected: [502, of(TOOLS)],
  },
  {
    name: "nobody there",
    under: {
      github: { baseUrl: new URL("http://127.0.0.1:1"), token: MARKERS.token, redirectHosts: [] },
    },
    expected: [502, of(TOOLS)],
  },
  {
    name: "an answer that never comes",
    arrange: at(() => undefined),
    under: { fetchTimeoutMs: 150 },
    expected: [504, { code: "upstream_timeout", ...of(TOOLS) }],
  },
  {
    name: "an archive that never ends",
    arrange: at((_req, res) => res.writeHead(200).write(gzipSync("x").subarray(0, 8))),
    under: { fetchTimeoutMs: 150 },
    expected: [504, of(TOOLS)],
  },
  {
    name: "files that are too large together",
    arrange: entries(
      ...["a", "b", "c", "d"].map((name) => ({ name, content: "x".repeat(1_000_000) })),
    ),
    expected: [413, of(TOOLS)],
  },
  {
    name: "a bomb",
    arrange: at((_req, res) => res.end(gzipSync(Buffer.alloc(20 * 1_048_576)))),
    expected: [413, of(TOOLS)],
  },
  {
    name: "an archive larger than all",
    arrange: at((_req, res) => {
      const noise = Buffer.alloc(65_536, 7);
      const more = () => {
        while (res.write(noise));
      };
      res.writeHead(200, { "content-type": "application/gzip" });
      res.write(gzipSync(Buffer.alloc(100)).subarray(0, 10));
      res.on("drain", more);
      more();
    }),
    expected: [502, of(TOOLS)],
  },
  {
    name: "a link",
    arrange: entries({ name: MARKERS.path, type: "symlink" }),
    expected: [422, of(TOOLS)],
  },
  {
    name: "a hard link",
    arrange: entries({ name: MARKERS.path, type: "link" }),
    expected: [422, {}],
  },
  {
    name: "a device",
    arrange: entries({ name: MARKERS.path, type: "character-device" }),
    expected: [422, {}],
  },
  { name: "a way out", arrange: entries({ name: `../../${MARKERS.path}` }), expected: [422, {}] },
  {
    name: "an absolute path",
    arrange: entries({ name: `/etc/${MARKERS.path}` }),
    expected: [422, {}],
  },
  {
    name: "a name twice",
    arrange: entries({ name: MARKERS.path, content: "1" }, { name: MARKERS.path, content: "2" }),
    expected: [422, {}],
  },
  {
    name: "a manifest that is missing",
    arrange: () => serve("refs/tags/v9", [{ name: MARKERS.path, content: "x" }]),
    expected: [422, of(TOOLS)],
  },
  {
    name: "a manifest with more than it may have",
    arrange: () =>
      serve("refs/tags/v9", [
        {
          name: "plugin.yaml",
          content: `${manifestOf("tools")}"${MARKERS.path}/x": ${LEAKS}\nhooks: 1\n`,
        },
      ]),
    expected: [
      422,
      { error: "plugin.yaml has “hooks”, which a plugin does not have.", ...of(TOOLS) },
    ],
  },
  {
    name: "a manifest with a wrong field",
    arrange: () =>
      serve("refs/tags/v9", [
        { name: "plugin.yaml", content: `name: ${MARKERS.path}/\nversion: 1\n` },
      ]),
    expected: [422, { error: expect.stringContaining("“name”") }],
  },
  {
    name: "a manifest that is no YAML",
    arrange: () => serve("refs/tags/v9", [{ name: "plugin.yaml", content: `a: [${LEAKS}` }]),
    expected: [422, { error: expect.stringContaining("line") }],
  },
  {
    name: "another content",
    body: { source: TOOLS, sha256: "a".repeat(64) },
    arrange: entries(),
    expected: [422, of(TOOLS)],
  },
  {
    name: "a folder with a link",
    source: "linked",
    arrange: async () => {
      await offer("linked", { "plugin.yaml": manifestOf("linked") });
      await symlink(`/etc/${MARKERS.path}`, path.join(local, "linked/a")).catch(() => undefined);
    },
    expected: [422, of("local://linked")],
  },
  {
    name: "a folder that is a link",
    source: "link",
    arrange: () => symlink(`/etc/${MARKERS.path}`, path.join(local, "link")).catch(() => undefined),
    expected: [422, of("local://link")],
  },
  {
    name: "a folder of another plugin",
    source: "alias",
    arrange: () => offer("alias", { "plugin.yaml": manifestOf("plain") }),
    expected: [422, of("local://alias")],
  },
  {
    name: "a folder that cannot be read",
    source: "plain",
    under: { localDir: "/dev/null/plugins" },
    expected: [502, of("local://plain")],
  },
];

describe("a failure", () => {
  beforeAll(begin);

  it.each(FAILURES)("PL6, PL7: $name is told with scheme and source alone", async (failure) => {
    github.answers.delete("/acme/tools/tar.gz/refs/tags/v9");
    await failure.arrange?.();
    const body = failure.body ?? { source: failure.source ?? TOOLS };
    const response = await under(failure.under ?? {}, () =>
      api.call("POST", `/workspaces/${id}/plugins`, { token, body }),
    );
    const text = await response.text();
    const [status, expected] = failure.expected;
    const answered = JSON.parse(text) as Record<string, unknown>;
    expect([response.status, answered]).toMatchObject([status, expected]);
    const allowed = ["error", "code", "next", "request_id", "scheme", "source"];
    const more = ["available_schemes", "retry_after", "max_bytes", "field"];
    expect(Object.keys(answered).filter((key) => ![...allowed, ...more].includes(key))).toEqual([]);
    expect(answered.error).toMatch(/\.$/);
    const headers = JSON.stringify([...response.headers]);
    for (const marker of Object.values(MARKERS)) expect(text + headers).not.toContain(marker);
    expect([await files(), (await row())?.desired_gen]).toEqual([[], 1]);
  });

  it("PL6: leaves no mark in events, activity, what was kept, or the log", async () => {
    const found = await api.test.sql`
      SELECT payload::text AS text FROM events UNION ALL
      SELECT a::text FROM activity a UNION ALL
      SELECT p::text FROM plugin_packages p UNION ALL
      SELECT config::text FROM workspaces`;
    const all = [...found.map(({ text }) => String(text)), ...logged, ...api.warnings].join("\n");
    expect(logged.length).toBeGreaterThan(FAILURES.length / 2);
    for (const marker of Object.values(MARKERS)) expect(all).not.toContain(marker);
  });
});

describe("a plugin as an archive", () => {
  beforeAll(begin);

  it("is what is installed, or what its source has", async () => {
    await serve("refs/tags/v1", HONEST);
    await install("github://acme/tools#v1");
    for (const query of ["", "?source=github://acme/tools%23v1", "?source=local://tools"]) {
      const target = `/workspaces/${id}/plugins/tools/download${query}`;
      const response = await api.call("GET", target, { token });
      const isLocal = query.includes("local");
      expect(response.status).toBe(isLocal ? 404 : 200);
      if (isLocal) continue;
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "application/gzip",
        "x-plugin-name": "tools",
        "x-plugin-source": "github://acme/tools#v1",
      });
      expect(Buffer.from(await response.arrayBuffer()).subarray(0, 2)).toEqual(
        Buffer.from([0x1f, 0x8b]),
      );
    }
    const other = await call("GET", "/plugins/other/download?source=github://acme/tools%23v1");
    expect(other).toMatchObject([400, { next: "It is called “tools”." }]);
  });
});
