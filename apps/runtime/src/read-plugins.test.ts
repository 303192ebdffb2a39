import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { readPlugins, tellPlugins } from "./read-plugins.ts";

it("PL11: an agent is told of the plugins that are for its runtime, with their folders and skills", async () => {
  const configDir = await mkdtemp(path.join(tmpdir(), "molecule-plugins-"));
  const put = async (name: string, text: string) => {
    await mkdir(path.join(configDir, "plugins", name), { recursive: true });
    await writeFile(path.join(configDir, "plugins", name, "plugin.yaml"), text);
  };
  try {
    expect(await readPlugins(configDir, "demo")).toEqual([]);
    expect(tellPlugins([])).toBe("");
    await put("b", "name: b\nversion: 1.0.0\ndescription: For writing.\nskills: [x, y]\n");
    await put("a", "name: a\nversion: 2\nruntimes: [Claude_Code]\n");
    await put("other", "name: [\n");
    await put("alias", "name: b\nversion: 1.0.0\n");
    const plugins = await readPlugins(configDir, "demo");
    expect(plugins.map(({ name, version, isSupported }) => [name, version, isSupported])).toEqual([
      ["a", "2", false],
      ["b", "1.0.0", true],
    ]);
    const told = tellPlugins(plugins);
    expect(told).toContain(
      `- b 1.0.0 in ${path.join(configDir, "plugins/b")}: For writing. Skills: x, y.`,
    );
    expect(told).not.toContain("- a ");
    expect(tellPlugins(await readPlugins(configDir, "claude-code"))).toContain("- a 2 in ");
  } finally {
    await rm(configDir, { recursive: true });
  }
});
