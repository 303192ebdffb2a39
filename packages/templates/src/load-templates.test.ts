import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadTemplate, loadTemplates, viewTemplate } from "./load-templates.ts";

const shipped = join(import.meta.dirname, "../data");
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "templates-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

const put = async (path: string, content: string) => {
  await mkdir(join(dir, path, ".."), { recursive: true });
  await writeFile(join(dir, path), content);
};

describe("the templates we ship", () => {
  it("are all usable, with instructions, models and starters", async () => {
    const views = (await loadTemplates(shipped)).map(viewTemplate);
    expect(views.map((view) => view.id)).toEqual(["assistant", "coder", "researcher", "reviewer"]);
    for (const view of views) {
      expect(view.broken).toBeNull();
      expect(view.description).not.toBe("");
      expect(view.starterPrompts.length).toBeGreaterThan(1);
      expect(view.models.map((model) => model.id)).toContain(view.model);
      expect((await loadTemplate(shipped, view.id)).config.instructions).not.toBe("");
    }
  });

  it("need a key only where a real model is used", async () => {
    const views = (await loadTemplates(shipped)).map(viewTemplate);
    for (const view of views) {
      const keys = view.runtime === "claude-code" ? ["ANTHROPIC_API_KEY"] : [];
      expect(view.requiredEnv).toEqual(keys);
    }
  });
});

describe("loading templates", () => {
  it("lists a malformed one as broken with the cause, beside the good ones", async () => {
    await put("good/config.yaml", "name: Good\nruntime: demo\n");
    await put("bad/config.yaml", "name: [");
    await put("empty/readme.txt", "nothing");
    const views = (await loadTemplates(dir)).map(viewTemplate);
    expect(views.map((view) => [view.id, view.broken])).toEqual([
      ["bad", expect.stringContaining("line 1")],
      ["empty", "config.yaml is missing."],
      ["good", null],
    ]);
  });

  it("brings further files along, without dot-files", async () => {
    await put("t/config.yaml", "runtime: demo\nruntime_config: {provision_timeout_seconds: 30}");
    await put("t/skills/one.md", "one");
    await put("t/.hidden", "no");
    const template = await loadTemplate(dir, "t");
    expect([...template.files.keys()]).toEqual(["skills/one.md"]);
    expect(template.provisionTimeoutSeconds).toBe(30);
  });

  it.each(["../t", "nope", "", "T"])("refuses the unknown name %j", async (id) => {
    await put("t/config.yaml", "runtime: demo");
    await expect(loadTemplate(dir, id)).rejects.toMatchObject({ code: "bad_request" });
  });

  it("answers an empty list when there is no folder", async () => {
    expect(await loadTemplates(join(dir, "absent"))).toEqual([]);
  });
});
