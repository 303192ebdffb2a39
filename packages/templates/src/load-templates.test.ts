import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findTemplate, loadTemplates } from "./load-templates.ts";
import { viewTemplate } from "./template.ts";

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
const causes = async () =>
  Object.fromEntries(
    (await loadTemplates(dir)).map(viewTemplate).map((view) => [view.id, view.broken]),
  );

describe("the templates we ship", () => {
  it("are all usable, with instructions, models and starters", async () => {
    const views = (await loadTemplates(shipped)).map(viewTemplate);
    expect(views.map((view) => view.id)).toEqual(["assistant", "coder", "researcher", "reviewer"]);
    for (const view of views) {
      expect(view.broken).toBeNull();
      expect(view.description).not.toBe("");
      expect(view.starterPrompts.length).toBeGreaterThan(1);
      const models = view.providers.flatMap((provider) => provider.models);
      expect(models.map((model) => model.id)).toContain(view.model);
      expect((await findTemplate(shipped, view.id))?.config.instructions).toMatch(/^You are/);
    }
  });

  it("need a key only where a real model is used, and the pair says which", async () => {
    const views = (await loadTemplates(shipped)).map(viewTemplate);
    for (const view of views) {
      const isReal = view.runtime === "claude-code";
      expect(view.requiredEnv).toEqual(isReal ? ["ANTHROPIC_API_KEY"] : []);
      const keys = view.providers.map(({ provider, keys }) => [provider, keys]);
      expect(keys).toEqual(
        isReal
          ? [
              ["anthropic", [["ANTHROPIC_API_KEY"]]],
              ["anthropic-oauth", [["CLAUDE_CODE_OAUTH_TOKEN"]]],
            ]
          : [[null, []]],
      );
    }
  });
});

describe("loading templates", () => {
  it("lists a malformed one as broken with the cause, beside the good ones", async () => {
    await put("good/config.yaml", "name: Good\nruntime: demo\n");
    await put("bad/config.yaml", "name: [");
    await put("empty/readme.txt", "nothing");
    await put("Wrong Name/config.yaml", "name: x");
    await put("external/config.yaml", "name: x");
    await put(".git/config.yaml", "name: x");
    await put("latin/config.yaml", "name: x");
    await writeFile(join(dir, "latin/config.yaml"), Buffer.from("name: \xe9", "latin1"));
    await put("linked/config.yaml", "name: x");
    await symlink("/etc/passwd", join(dir, "linked/notes.md"));
    await symlink(join(dir, "good"), join(dir, "elsewhere"));
    await put("large/config.yaml", "name: x");
    await put("large/data.bin", "x".repeat(1_048_577));
    expect(await causes()).toEqual({
      good: null,
      bad: expect.stringContaining("line 1"),
      empty: "config.yaml is missing.",
      "Wrong Name": expect.stringContaining("lower-case"),
      external: expect.stringContaining("external"),
      latin: "config.yaml is not UTF-8 text.",
      linked: "notes.md is a symbolic link, and those are not followed.",
      elsewhere: "It is a symbolic link, and those are not followed.",
      large: "data.bin is larger than 1024 KiB.",
    });
  });

  it.each([
    ["models: 3", "runtime_config.models"],
    ["models: [{name: no id}]", "runtime_config.models.0.id"],
    ["models: [{id: a, required_env: [lower]}]", "runtime_config.models.0.required_env.0"],
    ["providers: {a: b}", "runtime_config.providers"],
    ["provision_timeout_seconds: soon", "runtime_config.provision_timeout_seconds"],
  ])("lists one with %j as broken, naming the field", async (inner, field) => {
    await put("t/config.yaml", `runtime: demo\nruntime_config: {${inner}}`);
    expect(await causes()).toEqual({ t: expect.stringContaining(`“${field}”`) });
  });

  it("lists one whose registry cannot be meant as broken", async () => {
    await put("t/config.yaml", "providers: [{name: a, auth_env: KEY}]");
    expect(await causes()).toEqual({ t: expect.stringContaining("“providers.0.auth_env”") });
  });

  it("sees what changes in the folder with the next call", async () => {
    expect(await causes()).toEqual({});
    await put("a/config.yaml", "name: [");
    expect(await causes()).toEqual({ a: expect.stringContaining("line 1") });
    await put("a/config.yaml", "name: Right now");
    expect((await findTemplate(dir, "a"))?.name).toBe("Right now");
    await rm(join(dir, "a"), { recursive: true });
    expect(await causes()).toEqual({});
  });

  it("brings further files along, without dot-files", async () => {
    await put("t/config.yaml", "runtime: demo\nruntime_config: {provision_timeout_seconds: 30}");
    await put("t/skills/one.md", "one");
    await put("t/.hidden", "no");
    const template = await findTemplate(dir, "t");
    expect([...(template?.files.keys() ?? [])]).toEqual(["skills/one.md"]);
    expect(template?.provisionTimeoutSeconds).toBe(30);
  });

  it("finds no template under another name, and refuses a broken one with its cause", async () => {
    await put("t/config.yaml", "runtime: demo");
    for (const id of ["../t", "nope", "", "T"]) expect(await findTemplate(dir, id)).toBeNull();
    await put("bad/config.yaml", "name: [");
    await expect(findTemplate(dir, "bad")).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringContaining("line 1"),
    });
  });

  it("answers an empty list when there is no folder", async () => {
    expect(await loadTemplates(join(dir, "absent"))).toEqual([]);
  });
});
