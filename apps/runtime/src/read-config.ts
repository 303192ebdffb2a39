import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { RuntimeEnv } from "./env.ts";

/** What the agent actually runs with: the files beside it, then the environment. */
export interface BootConfig {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly model: string | undefined;
  readonly provider: string | undefined;
  /** Content of `system-prompt.md`; empty when there is none. */
  readonly instructions: string;
  /** Names in the lists `skills` and `plugins`. */
  readonly skills: readonly string[];
  readonly plugins: readonly string[];
  readonly delegateTimeoutMs: number;
}

const DEFAULT_DELEGATE_TIMEOUT_SECONDS = 600;

const text = z.string().optional().catch(undefined);
const count = z.coerce.number().int().positive().optional().catch(undefined);
/** Entries are names, or objects with one; others are skipped. */
const names = z
  .array(
    z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)]).catch(""),
  )
  .transform((all) => all.filter((name) => name !== ""))
  .optional()
  .catch(undefined);
/** Keys of `config.yaml` that are read; all others are someone else's. Source: contract §19.1. */
const configFile = z
  .object({
    name: text,
    description: text,
    version: text,
    model: text,
    provider: text,
    skills: names,
    plugins: names,
    runtime_config: z.object({ model: text, provider: text }).partial().nullish().catch(undefined),
    delegation: z.object({ timeout: count }).partial().nullish().catch(undefined),
  })
  .partial();

/**
 * Reads `config.yaml` and `system-prompt.md`. Missing files mean defaults; the environment's `MODEL`
 * wins over the file, because the platform sets it from the same document for every runtime.
 * @throws Error when `config.yaml` is not YAML: starting with other settings than the saved ones
 * would be a lie.
 */
export async function readBootConfig(env: RuntimeEnv): Promise<BootConfig> {
  const [yamlText, instructions] = await Promise.all([
    readIfThere(path.join(env.configDir, "config.yaml")),
    readIfThere(path.join(env.configDir, "system-prompt.md")),
  ]);
  const file = configFile.parse(parseYaml(yamlText) ?? {});
  const name = env.workspaceName ?? file.name ?? env.workspaceId;
  return {
    name,
    description: file.description ?? "",
    version: file.version ?? "1.0.0",
    model: env.model ?? file.runtime_config?.model ?? file.model,
    provider: env.provider ?? file.runtime_config?.provider ?? file.provider,
    instructions,
    skills: file.skills ?? [],
    plugins: file.plugins ?? [],
    delegateTimeoutMs: 1000 * (file.delegation?.timeout ?? DEFAULT_DELEGATE_TIMEOUT_SECONDS),
  };
}

function parseYaml(yamlText: string): unknown {
  try {
    const value: unknown = parse(yamlText);
    return typeof value === "object" ? value : undefined;
  } catch (cause) {
    throw new Error("config.yaml is not valid YAML, so the agent was not started.", { cause });
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
