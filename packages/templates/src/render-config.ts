import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import { stringify } from "yaml";

/** Names of the two files that are views of the configuration document. */
export const CONFIG_FILE = "config.yaml";
export const PROMPT_FILE = "system-prompt.md";

/** What the two files are rendered from; a workspace row fits. */
export interface RenderInput {
  readonly name: string;
  readonly role: string | null;
  readonly tier: number;
  readonly runtime: string;
  readonly config: WorkspaceConfig;
}

/** True for a path under `/configs` that is a view of the document and not a stored file. */
export function isRenderedFile(path: string): boolean {
  return path === CONFIG_FILE || path === PROMPT_FILE;
}

/**
 * The files of `/configs` that show the document: `config.yaml` and `system-prompt.md`. The same
 * input always renders the same bytes, so a digest of them tells whether anything changed.
 */
export function renderConfigs(input: RenderInput): Map<string, Uint8Array> {
  const encode = (text: string) => new TextEncoder().encode(text);
  return new Map([
    [CONFIG_FILE, encode(renderConfigYaml(input))],
    [PROMPT_FILE, encode(input.config.instructions)],
  ]);
}

function renderConfigYaml({ name, role, tier, runtime, config }: RenderInput): string {
  const { runtime_config: extraInner, ...extra } = config.extra;
  const inner = isRecord(extraInner) ? extraInner : {};
  const document: Record<string, unknown> = {
    name,
    ...(role === null ? {} : { role }),
    description: config.description,
    tier,
    runtime,
    ...(config.model === null ? {} : { model: config.model }),
    ...(config.provider === null ? {} : { provider: config.provider }),
    runtime_config: {
      ...(config.model === null ? {} : { model: config.model }),
      ...(config.provider === null ? {} : { provider: config.provider }),
      required_env: config.requiredEnv,
      ...without(inner, ["model", "provider", "required_env"]),
    },
    starter_prompts: config.starterPrompts,
    ...without(extra, [...OWN_KEYS]),
    ...pluginsOf(config),
  };
  // Quoted without exception: a name such as "yes", "1.0" or one with a colon stays a string.
  return stringify(document, {
    defaultStringType: "QUOTE_DOUBLE",
    defaultKeyType: "PLAIN",
    lineWidth: 0,
  });
}

/** The key `plugins`: what the document has under it, and every installed one. */
function pluginsOf({ extra, plugins = [] }: WorkspaceConfig): Record<string, unknown> {
  if (plugins.length === 0) return {};
  const named: readonly unknown[] = Array.isArray(extra.plugins) ? extra.plugins : [];
  const installed = plugins.map(({ name }) => name).filter((name) => !named.includes(name));
  return { plugins: [...named, ...installed] };
}

/**
 * The keys of an edited `config.yaml` without what is in it only because it is installed: uninstalled, a
 * plugin must not be left there by name.
 */
export function withoutInstalled(
  extra: WorkspaceConfig["extra"],
  before: WorkspaceConfig,
): WorkspaceConfig["extra"] {
  const { plugins, ...rest } = extra;
  if (!Array.isArray(plugins) || before.plugins === undefined) return extra;
  const own: readonly unknown[] = Array.isArray(before.extra.plugins) ? before.extra.plugins : [];
  const installed = new Set<unknown>(before.plugins.map(({ name }) => name));
  const kept = plugins.filter((entry: unknown) => own.includes(entry) || !installed.has(entry));
  return kept.length === 0 && !("plugins" in before.extra) ? rest : { ...rest, plugins: kept };
}

const OWN_KEYS = [
  "name",
  "role",
  "description",
  "tier",
  "runtime",
  "model",
  "provider",
  "runtime_config",
  "starter_prompts",
] as const;

function without(from: Readonly<Record<string, unknown>>, keys: readonly string[]) {
  return Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
