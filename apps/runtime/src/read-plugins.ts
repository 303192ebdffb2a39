import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { PLUGINS_FOLDER, supportsRuntime } from "@molecule/domain/plugins";
import { parse } from "yaml";
import { z } from "zod";

/** A plugin as it lies beside the agent's settings. */
export interface BootPlugin {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly skills: readonly string[];
  /** It names no runtime, or the one that runs. */
  readonly isSupported: boolean;
  /** Its folder, absolute. */
  readonly folder: string;
}

const words = z.array(z.string()).catch([]).default([]);
/** As much of `plugin.yaml` as is told. Source: wire contract §12. */
const manifest = z.object({
  name: z.string(),
  version: z.coerce.string().catch("").default(""),
  description: z.string().catch("").default(""),
  skills: words,
  runtimes: words,
});

/** What is in the folder of plugins, by name; a folder without a manifest is none. SPEC: PL11. */
export async function readPlugins(
  configDir: string,
  runtime: string,
): Promise<readonly BootPlugin[]> {
  const root = path.join(configDir, PLUGINS_FOLDER);
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const read = await Promise.all(
    folders.sort().map(async (name) => {
      const folder = path.join(root, name);
      const text = await readFile(path.join(folder, "plugin.yaml"), "utf8").catch(() => "");
      const said = manifest.safeParse(yamlOf(text));
      if (!said.success || said.data.name !== name) return [];
      const { version, description, skills, runtimes } = said.data;
      const isSupported = supportsRuntime(runtimes, runtime);
      return [{ name, version, description, skills, isSupported, folder }];
    }),
  );
  return read.flat();
}

/** What an agent is told of its plugins; empty where it has none that are for it. SPEC: PL11. */
export function tellPlugins(plugins: readonly BootPlugin[]): string {
  const own = plugins.filter(({ isSupported }) => isSupported);
  if (own.length === 0) return "";
  const lines = own.map(({ name, version, description, skills, folder }) => {
    const what = description === "" ? "" : `: ${description}`;
    const named = skills.length === 0 ? "" : ` Skills: ${skills.join(", ")}.`;
    return `- ${name} ${version} in ${folder}${what}${named}`;
  });
  return `These plugins are installed for you. Read what is in a plugin's folder before you do what it is about.\n${lines.join("\n")}`;
}

function yamlOf(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return null;
  }
}
