import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readEnv } from "./env.ts";
import { readBootConfig } from "./read-config.ts";

describe("the configuration a runtime starts with", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "molecule-config-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const envOf = (more: Record<string, string> = {}) =>
    readEnv({
      WORKSPACE_ID: "ws-1",
      PLATFORM_URL: "http://127.0.0.1:1",
      WORKSPACE_CONFIG_PATH: folder,
      ...more,
    });

  it("comes from config.yaml and system-prompt.md", async () => {
    await writeFile(
      path.join(folder, "config.yaml"),
      "name: Ann\nmodel: m-1\nprovider: p-1\nskills: [a, {name: b}, 3]\ndelegation: {timeout: 60}\nother: {x: 1}\n",
    );
    await writeFile(path.join(folder, "system-prompt.md"), "Be kind.\n");
    expect(await readBootConfig(envOf())).toMatchObject({
      name: "Ann",
      model: "m-1",
      provider: "p-1",
      instructions: "Be kind.\n",
      skills: ["a", "b"],
      plugins: [],
      delegateTimeoutMs: 60_000,
    });
  });

  it("has defaults for everything when there are no files", async () => {
    expect(await readBootConfig(envOf())).toMatchObject({
      name: "ws-1",
      model: undefined,
      instructions: "",
      skills: [],
    });
  });

  it("takes the model of the environment before that of the file", async () => {
    await writeFile(
      path.join(folder, "config.yaml"),
      "model: m-1\nruntime_config:\n  model: m-2\n",
    );
    expect((await readBootConfig(envOf())).model).toBe("m-2");
    expect((await readBootConfig(envOf({ MODEL: "m-3" }))).model).toBe("m-3");
  });

  it("ignores values of the wrong type, but not a file that is no YAML", async () => {
    await writeFile(path.join(folder, "config.yaml"), "name: [1]\nskills: many\n");
    expect(await readBootConfig(envOf())).toMatchObject({ name: "ws-1", skills: [] });
    await writeFile(path.join(folder, "config.yaml"), "name: {unclosed\n");
    await expect(readBootConfig(envOf())).rejects.toThrow("not valid YAML");
  });

  it("names the variable that is missing or wrong", () => {
    expect(() => readEnv({ PLATFORM_URL: "http://x" })).toThrow("WORKSPACE_ID");
    expect(() => readEnv({ WORKSPACE_ID: "x" })).toThrow("PLATFORM_URL");
    expect(() => envOf({ AGENT_ADAPTER: "other" })).toThrow("AGENT_ADAPTER");
    expect(() => envOf({ PORT: "99999" })).toThrow("PORT");
  });
});
