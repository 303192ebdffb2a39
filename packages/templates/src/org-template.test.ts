import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadOrgTemplates } from "./load-org-templates.ts";
import { loadTemplates } from "./load-templates.ts";
import { countNodes, type OrgTreeNode, readOrgTemplate } from "./org-template.ts";
import { viewTemplate } from "./template.ts";

const data = join(import.meta.dirname, "..");

describe("the teams we ship", () => {
  it("are usable, run without a key, and name templates that are there", async () => {
    const loaded = await loadOrgTemplates(join(data, "org-data"));
    expect(loaded.map(({ dir, kind }) => [dir, kind])).toEqual([["small-team", "org"]]);
    const templates = (await loadTemplates(join(data, "data"))).map(viewTemplate);
    for (const one of loaded) {
      if (one.kind !== "org") continue;
      const walk = (nodes: readonly OrgTreeNode[]): void => {
        for (const { template, runtime, children } of nodes) {
          const found = templates.find(({ id }) => id === template);
          expect(found?.broken).toBeNull();
          expect(found?.runtime).toBe(runtime);
          walk(children);
        }
      };
      walk(one.org.workspaces);
      expect(one.org.requiredEnv).toEqual([]);
      expect(countNodes(one.org.workspaces)).toBe(4);
    }
  });
});

describe("reading a team", () => {
  it("gives every agent the team's defaults where it does not say otherwise", () => {
    const { workspaces } = readOrgTemplate(`
name: T
defaults: {runtime: demo, model: demo-1, tier: 1}
workspaces:
  - name: A
    children:
      - {name: B, model: demo-2, tier: 3, channels: [], role: helps}
`);
    const [a] = workspaces;
    expect(a).toMatchObject({ runtime: "demo", model: "demo-1", tier: 1, role: null });
    expect(a?.children[0]).toMatchObject({ model: "demo-2", tier: 3, role: "helps", children: [] });
  });

  it("needs each key once; what is needed for itself settles its groups, and beats recommended", () => {
    const org = readOrgTemplate(`
name: T
required_env: [A, {any_of: [B, C]}, {any_of: [A, D]}]
recommended_env: [A, E, {any_of: [C, B]}, {any_of: [A, X]}]
workspaces:
  - {name: one, required_env: [A, F, {any_of: [C, B]}]}
`);
    expect(org.requiredEnv).toEqual(["A", "F", { any_of: ["B", "C"] }]);
    expect(org.recommendedEnv).toEqual(["E"]);
  });

  it.each([
    ["name: T", "workspaces"],
    ["name: T\nworkspaces: []", "at least one agent"],
    ["name: T\nrequired_env: [lower]\nworkspaces: [{name: a}]", "required_env"],
    ["name: [", "line 1"],
    [`name: T\nworkspaces: [${"{name: a, children: [".repeat(40)}${"]}".repeat(40)}]`, "deeper"],
    ["name: T\nworkspaces: &a [*a]", "refers to itself"],
    ["name: T\nworkspaces: &a [{name: x, children: *a}]", "refers to itself"],
  ])("refuses %j with a sentence", (source, told) => {
    expect(() => readOrgTemplate(source)).toThrow(told);
  });

  it("refuses what is too large, too many or too deep before it is looked through", () => {
    const many = (count: number) => "{name: a},".repeat(count);
    for (const [source, told] of [
      [`name: T\nworkspaces: [${many(1_000)}]`, "workspaces"],
      [`name: T\nworkspaces: [{name: a, children: [${many(500)}]}]`, "more than 500 agents"],
      [`x: ${"[".repeat(20_000)}${"]".repeat(20_000)}`, "line 1 is not valid"],
      [`name: T\nx: ${"y".repeat(2 * 1024 * 1024)}`, "larger than 2048 KiB"],
    ] as const) {
      expect(() => readOrgTemplate(source)).toThrow(told);
    }
  });

  it("keeps an agent that is described wrongly with its problem, and still reads those below it", () => {
    const { workspaces } = readOrgTemplate(`
name: T
workspaces:
  - {role: x}
  - {name: "a\\nb", children: [{name: below}]}
  - {name: "a [b]"}
  - {name: a, tier: 9}
  - {name: a, template: ../x}
  - {name: a, runtime: unknown}
  - {name: a, schedules: [{name: s, cron_expr: "* *", prompt: p}]}
  - {name: a, canvas: {x: .inf, y: 0}}
  - {name: "a", required_env: [lower]}
  - text
  - {name: "${"n".repeat(300)}"}
  - {name: fine, external: true, url: "https://x.example", canvas: {x: 1, y: 2}, max_concurrent_tasks: 0}
`);
    const told = workspaces.map(({ name, problem }) => [name.slice(0, 20), problem ?? "fine"]);
    expect(told.map(([name]) => name)).toEqual([
      "agent 1",
      "a?b",
      "a [b]",
      "a",
      "a",
      "a",
      "a",
      "a",
      "a",
      "agent 11",
      "n".repeat(20),
      "fine",
    ]);
    for (const [at, word] of [
      "name",
      "one line",
      "[ ]",
      "tier",
      "template",
      "runtime",
      "five fields",
      "canvas",
      "required_env",
      "as an agent is",
      "name",
      "fine",
    ].entries()) {
      expect(told[at]?.[1], `entry ${at}`).toContain(word);
    }
    expect(workspaces[1]?.children.map(({ name }) => name)).toEqual(["below"]);
    expect(workspaces.at(-1)).toMatchObject({
      runtime: "external",
      url: "https://x.example",
      place: { x: 1, y: 2 },
      maxConcurrentTasks: 1,
    });
  });

  it("gives every agent what the team needs beside what it needs itself", () => {
    const { workspaces } = readOrgTemplate(`
name: T
required_env: [A]
defaults: {required_env: [B], initial_memories: [{content: we}], idle_interval_seconds: 60}
workspaces:
  - name: one
    required_env: [C, {any_of: [A, X]}]
    initial_memories: [me, {content: us, scope: TEAM}]
    channels: [{type: slack}]
    initial_prompt: hello
    plugins: [p]
`);
    expect(workspaces[0]).toMatchObject({
      needs: ["A", "B", "C"],
      channelCount: 1,
      extra: { initial_prompt: "hello", idle_interval_seconds: 60, plugins: ["p"] },
      memories: [
        { content: "we", scope: "LOCAL", namespace: "general" },
        { content: "me", scope: "LOCAL", namespace: "general" },
        { content: "us", scope: "TEAM", namespace: "general" },
      ],
    });
  });

  it("lists a folder that is no team as broken with the cause", async () => {
    const dir = await mkdtemp(join(tmpdir(), "teams-"));
    await mkdir(join(dir, "empty"));
    await mkdir(join(dir, "bad"));
    await writeFile(join(dir, "bad", "org.yaml"), "name: T\nworkspaces: []");
    expect(await loadOrgTemplates(dir)).toEqual([
      { kind: "broken", dir: "bad", cause: expect.stringContaining("at least one agent") },
      { kind: "broken", dir: "empty", cause: "org.yaml is missing." },
    ]);
    expect(await loadOrgTemplates(join(dir, "absent"))).toEqual([]);
    await rm(dir, { recursive: true });
  });
});
