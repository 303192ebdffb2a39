import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadOrgTemplates } from "./load-org-templates.ts";
import { loadTemplates } from "./load-templates.ts";
import { countNodes, type OrgNode, readOrgTemplate } from "./org-template.ts";
import { viewTemplate } from "./template.ts";

const data = join(import.meta.dirname, "..");

describe("the teams we ship", () => {
  it("are usable, run without a key, and name templates that are there", async () => {
    const loaded = await loadOrgTemplates(join(data, "org-data"));
    expect(loaded.map(({ dir, kind }) => [dir, kind])).toEqual([["small-team", "org"]]);
    const templates = (await loadTemplates(join(data, "data"))).map(viewTemplate);
    for (const one of loaded) {
      if (one.kind !== "org") continue;
      const walk = (nodes: readonly OrgNode[]): void => {
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
    ["name: T\nworkspaces: [{role: x}]", "“workspaces.0.name”"],
    [
      "name: T\nworkspaces: [{name: a, children: [{name: b, tier: 9}]}]",
      "workspaces.0.children.0.tier",
    ],
    ["name: T\nworkspaces: [{name: a}, {name: a}]", "called “a”"],
    ["name: T\nworkspaces: [{name: a, template: ../x}]", "“workspaces.0.template”"],
    ["name: T\nrequired_env: [lower]\nworkspaces: [{name: a}]", "required_env"],
    ["name: [", "line 1"],
    [`name: T\nworkspaces: [${"{name: a, children: [".repeat(40)}${"]}".repeat(40)}]`, "deeper"],
  ])("refuses %j with a sentence", (source, told) => {
    expect(() => readOrgTemplate(source)).toThrow(told);
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
