import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import type { ConfigDocument, SaveInput, SecretView } from "@molecule/contracts/panel";
import type { AttemptView, WorkspaceNode } from "@molecule/contracts/workspaces";
import { installedAgentPackage } from "@molecule/testing/agent-package";
import { type Product, startProduct } from "@molecule/testing/product";
import { realPart } from "@molecule/testing/require-real";
import { type ScriptedModel, startScriptedModel } from "@molecule/testing/scripted-model";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Platform } from "../platform.ts";
import { type Asker, askClaude, askDemo, sha256 } from "./ask-agent.fixture.ts";
import { canaries, filesWith, processesWith } from "./secret-leaks.fixture.ts";

/**
 * Shown value = value in the running agent, asserted by asking the agent: every installed runtime, every
 * kind of change, starts that fail among them. Short: the kinds together, in few restarts.
 */
const IS_LONG = process.env.MOLECULE_TEST_LONG === "1";
/** Nobody waits that long for a success. */
const SOON = { timeoutMs: 120_000, everyMs: 50 };
/** Secrets that each agent gets besides, which must turn up nowhere else. */
const CANARIES = 100;
const AGENT = path.resolve(import.meta.dirname, "../../../runtime/agents/claude-code");

const packageDir = await installedAgentPackage(AGENT);
const hasClaude = realPart(
  "The claude-code agent package",
  packageDir !== undefined,
  "let npm reach its registry, or install apps/runtime/agents/claude-code by hand",
);

/** An agent, and what was saved for it: the values that may be running. */
interface Subject {
  readonly id: string;
  readonly runtime: string;
  readonly ask: Asker;
  /** By name, own or the organisation's. */
  readonly secrets: Record<string, string>;
  readonly files: Record<string, string>;
}

let product: Product;
let platform: Platform;
let model: ScriptedModel;
const subjects: Subject[] = [];

beforeAll(async () => {
  model = await startScriptedModel();
  product = await startProduct({
    env: {
      MOLECULE_BACKEND: "process",
      MOLECULE_SETTLE_SCALE: "0.02",
      RATE_LIMIT: "0",
      LOG_LEVEL: "debug",
    },
  });
  if (packageDir !== undefined) {
    // Installed already, as the platform would have done with the first agent.
    const installed = path.join(product.home, "agents", "claude-code");
    await mkdir(installed, { recursive: true, mode: 0o755 });
    await symlink(packageDir, path.join(installed, packageDir.split("-").at(-1) ?? ""));
  }
  platform = new Platform(product.url, product.adminToken);
  const wanted: [string, Asker, Record<string, string>][] = [["demo", askDemo, {}]];
  if (hasClaude) {
    const keys = { ANTHROPIC_API_KEY: "sk-ant-scripted-1", ANTHROPIC_BASE_URL: model.url };
    wanted.push(["claude-code", askClaude(model), keys]);
  }
  for (const [runtime, ask, secrets] of wanted) {
    const all = { ...secrets, ...canaries("CANARY", CANARIES) };
    const body = { name: runtime, runtime, model: "anthropic/first", secrets: all };
    const { id } = await platform.call<{ id: string }>("POST", "/workspaces", body);
    subjects.push({ id, runtime, ask, secrets: all, files: {} });
  }
}, 240_000);
afterAll(async () => {
  await product?.stop();
  await model?.stop();
});

async function query<T>(name: string, input: object): Promise<T> {
  const asked = `/trpc/${name}?input=${encodeURIComponent(JSON.stringify(input))}`;
  return (await platform.call<{ result: { data: T } }>("GET", asked)).result.data;
}

async function mutate<T>(name: string, input: object): Promise<T> {
  return (await platform.call<{ result: { data: T } }>("POST", `/trpc/${name}`, input)).result.data;
}

const nodeOf = ({ id }: Subject) => query<WorkspaceNode>("workspaces.get", { id });

/** What is saved is what runs, or nobody will try it by himself. */
async function atRest(subject: Subject): Promise<void> {
  await waitUntil(
    `${subject.runtime} runs what was saved`,
    async () => {
      const { status, desiredGen, appliedGen } = await nodeOf(subject);
      return status === "online" && desiredGen === appliedGen;
    },
    SOON,
  );
}

/** Every place that says what runs, against what the agent has. */
async function compare(subject: Subject): Promise<void> {
  const { id } = subject;
  const [document, secrets, node, bundle, schedules] = await Promise.all([
    query<ConfigDocument>("config.document", { workspaceId: id }),
    query<SecretView[]>("config.secrets", { workspaceId: id }),
    nodeOf(subject),
    platform.call<{ effective: ConfigDocument["effective"] }>(
      "GET",
      `/workspaces/${id}/config-bundle`,
    ),
    platform.call<unknown[]>("GET", `/workspaces/${id}/schedules`),
  ]);
  const files = Object.keys(subject.files);
  const running = await subject.ask({ platform, home: product.home, id, files });
  const { effective, pending } = document;
  expect(document.failed).toEqual({});
  expect({
    model: effective?.model,
    provider: effective?.provider,
    instructions: effective?.instructions,
    tier: effective?.tier,
    skills: effective?.skills,
    plugins: effective?.installedPlugins.map(({ name, version }) => `${name} ${version}`),
  }).toEqual({
    model: running.model,
    provider: running.provider,
    instructions: running.instructions,
    tier: running.tier,
    skills: running.skills,
    plugins: running.plugins,
  });
  expect(effective?.runtime).toBe(subject.runtime);
  expect(node.effectiveModel).toBe(running.model);
  expect(bundle.effective).toMatchObject({ model: running.model, provider: running.provider });
  expect(document.schedules.count).toBe(schedules.length);
  // Of a secret only is shown whether the agent has the value that is stored.
  for (const { key, isRunning } of secrets.filter(({ hasValue }) => hasValue)) {
    expect([key, running.keys[key] === sha256(subject.secrets[key] ?? "")]).toEqual([
      key,
      isRunning,
    ]);
  }
  const shown = JSON.stringify([document, secrets, bundle]);
  expect(Object.values(running.keys).filter((hash) => shown.includes(hash))).toEqual([]);
  const waiting = new Set(
    pending.flatMap(({ kind, names }) =>
      kind === "plugin" ? [PLUGIN_FILE] : kind === "file" ? names : [],
    ),
  );
  for (const [name, content] of Object.entries(subject.files)) {
    expect([name, running.files[name] === content]).toEqual([name, !waiting.has(name)]);
  }
}

type Change = (subject: Subject) => Promise<unknown>;
const save = ({ id: workspaceId }: Subject, input: Omit<SaveInput, "workspaceId">) =>
  mutate<{ attempt: number | null }>("config.save", { workspaceId, ...input });
const put = ({ id }: Subject, route: string, body: object) =>
  platform.call("PUT", `/workspaces/${id}${route}`, body);
const setting =
  (config: SaveInput["config"]): Change =>
  (subject) =>
    save(subject, { config });
const secret =
  (key: string, value: string): Change =>
  (subject) => {
    subject.secrets[key] = value;
    return save(subject, { secrets: [{ key, value }] });
  };
const file =
  (name: string, content: string): Change =>
  (subject) => {
    subject.files[name] = content;
    return put(subject, `/files/${name}`, { content });
  };

/** A plugin that comes with the platform, and its file. */
const PLUGIN = "house-style";
const PLUGIN_FILE = `plugins/${PLUGIN}/plugin.yaml`;

const plugin: Change = async (subject) => {
  const at = `/workspaces/${subject.id}`;
  await platform.call("POST", `${at}/plugins`, { source: PLUGIN });
  const file = await platform.call<{ content: string }>("GET", `${at}/files/${PLUGIN_FILE}`);
  subject.files[PLUGIN_FILE] = file.content;
};

/** Every kind of change, each as people and scripts make it. */
const CHANGES: readonly (readonly [string, Change])[] = [
  ["model", setting({ model: "anthropic/second" })],
  ["provider", setting({ provider: "acme" })],
  ["instructions", setting({ instructions: "Be brief." })],
  ["resources", setting({ tier: 3 })],
  ["a secret", secret("A_KEY", "value-1")],
  ["a secret's value", secret("A_KEY", "value-2")],
  ["a file", file("notes/style.md", "short words")],
  ["a file's content", file("notes/style.md", "shorter words")],
  ["the wire's model", (subject) => put(subject, "/model", { model: "anthropic/third" })],
  ["the wire's provider", (subject) => put(subject, "/provider", { provider: "anthropic" })],
  ["a plugin", plugin],
  [
    "skills",
    async (subject) => {
      const at = `/workspaces/${subject.id}/files/config.yaml`;
      const { content } = await platform.call<{ content: string }>("GET", at);
      const own = content.replace(/^skills:\n(?: {2}.*\n)*/m, "");
      const skill = own === content ? "digging" : "filing";
      await put(subject, "/files/config.yaml", { content: `${own}skills: ["${skill}"]\n` });
    },
  ],
  [
    "a schedule",
    ({ id }) =>
      platform.call("POST", `/workspaces/${id}/schedules`, {
        name: `yearly ${crypto.randomUUID()}`,
        cron_expr: "0 0 1 1 *",
        prompt: "hello",
      }),
  ],
];

it("agrees with the agent before any change", async () => {
  for (const subject of subjects) {
    await atRest(subject);
    await compare(subject);
  }
}, 240_000);

it("agrees while every kind of change is held, and after one restart with all of them", async () => {
  for (const subject of subjects) {
    await save(subject, { config: { applyPolicy: "hold" } });
    for (const [, change] of CHANGES) await change(subject);
    subject.secrets.G_KEY = "shared-1";
  }
  await platform.call("PUT", "/settings/secrets", { key: "G_KEY", value: "shared-1" });
  await Promise.all(
    subjects.map(async (subject) => {
      await compare(subject);
      const { effectiveModel, desiredModel, attempt } = await nodeOf(subject);
      expect([effectiveModel, desiredModel]).toEqual(["anthropic/first", "anthropic/third"]);
      await mutate("workspaces.applyNow", { id: subject.id });
      await atRest(subject);
      expect((await nodeOf(subject)).attempt?.no).toBe((attempt?.no ?? 0) + 1);
      await compare(subject);
      await save(subject, { config: { applyPolicy: "settle" } });
    }),
  );
}, 240_000);

it.runIf(IS_LONG)(
  "agrees after every kind of change by itself",
  async () => {
    const anew: Change[] = [
      setting({ model: "anthropic/alone" }),
      setting({ provider: "alone" }),
      setting({ instructions: "Alone." }),
      setting({ tier: 4 }),
      secret("A_KEY", "alone-1"),
      file("notes/style.md", "alone"),
      ...CHANGES.slice(-5).map(([, change]) => change),
    ];
    for (const change of anew) {
      await Promise.all(
        subjects.map(async (subject) => {
          await change(subject);
          await atRest(subject);
          await compare(subject);
        }),
      );
    }
  },
  600_000,
);

it("agrees after a roll back", async () => {
  const all = IS_LONG ? subjects : subjects.slice(0, 1);
  await Promise.all(
    all.map(async (subject) => {
      const { desiredGen: savedGen } = await nodeOf(subject);
      await mutate("config.rollBack", { workspaceId: subject.id, gen: 1, savedGen });
      // It had none then.
      for (const name of Object.keys(subject.files)) delete subject.files[name];
      await atRest(subject);
      await compare(subject);
      expect((await nodeOf(subject)).effectiveModel).toBe("anthropic/first");
    }),
  );
}, 240_000);

it.runIf(hasClaude)(
  "goes on showing what runs while a key for the next start is missing",
  async () => {
    const [, claude] = subjects;
    if (claude === undefined) throw new Error("invariant: there is a second agent");
    await save(claude, {
      config: { model: "anthropic/waits" },
      secrets: [{ key: "ANTHROPIC_API_KEY", value: null }],
    });
    await waitUntil("it says so", async () => (await nodeOf(claude)).failure !== null, SOON);
    await compare(claude);
    expect(await nodeOf(claude)).toMatchObject({
      desiredModel: "anthropic/waits",
      status: "online",
    });
  },
  240_000,
);

it("goes on showing the former values when a start fails, and the new ones when it is mended", async () => {
  const [demo] = subjects;
  if (demo === undefined) throw new Error("invariant: there is a demo agent");
  const before = await nodeOf(demo);
  demo.secrets.NODE_OPTIONS = "--require=/nowhere/at/all.cjs";
  const secrets = [{ key: "NODE_OPTIONS", value: "--require=/nowhere/at/all.cjs" }];
  const { attempt } = await save(demo, {
    apply: "settle",
    config: { model: "anthropic/no" },
    secrets,
  });
  await waitUntil(
    "the attempt of that save has failed",
    async () => {
      const rows = await query<AttemptView[]>("workspaces.attempts", { id: demo.id });
      return rows.some(({ no, outcome }) => no === attempt && outcome !== null);
    },
    SOON,
  );
  const failed = await nodeOf(demo);
  expect(failed.effectiveModel).toBe(before.effectiveModel);
  expect(failed.desiredModel).toBe("anthropic/no");
  const { effective } = await query<ConfigDocument>("config.document", { workspaceId: demo.id });
  expect(effective).toMatchObject({ model: before.effectiveModel, generation: before.appliedGen });
  const shown = await query<SecretView[]>("config.secrets", { workspaceId: demo.id });
  expect(shown.find(({ key }) => key === "NODE_OPTIONS")).toMatchObject({ isRunning: false });
  await platform.call("DELETE", `/workspaces/${demo.id}/secrets/NODE_OPTIONS`);
  await atRest(demo);
  await compare(demo);
}, 240_000);

it("shows secrets in no file, log, database page or command line, and in no process but the agents' own", async () => {
  const planted = subjects.flatMap(({ secrets }) =>
    Object.entries(secrets).flatMap(([name, value]) => (name.startsWith("CANARY") ? [value] : [])),
  );
  const org = Object.values(canaries("ORG", 2));
  for (const [n, value] of org.entries()) {
    await platform.call("PUT", "/settings/secrets", { key: `ORG_${n}`, value });
  }
  for (const subject of subjects) {
    const bundle = await platform.call("GET", `/workspaces/${subject.id}/config-bundle`);
    const text = JSON.stringify(bundle);
    expect(planted.filter((value) => text.includes(value))).toEqual([]);
  }
  planted.push(...org);
  expect(planted.length).toBeGreaterThanOrEqual(hasClaude ? 200 : 100);
  // What is searched is really read: the one file that holds the name of an agent does.
  expect(await filesWith(path.join(product.home, "logs"), ["listening"])).not.toEqual([]);
  expect(await filesWith(product.home, planted)).toEqual([]);
  const { commandLines, environments } = await processesWith(planted);
  expect(commandLines).toEqual([]);
  const ids = subjects.map(({ id }) => id);
  expect(environments.length).toBeGreaterThan(0);
  expect(environments.filter((owner) => !ids.includes(owner) && !isAgentOf(owner))).toEqual([]);
}, 120_000);

/** What an agent's runtime started has no id of the workspace, and a command line of the agent. */
function isAgentOf(line: string): boolean {
  return /claude/.test(line);
}
