import { isDeepStrictEqual } from "node:util";
import type { InstalledPlugin } from "@molecule/contracts/plugins";
import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import { storableJson, storableText } from "@molecule/db/storable";
import type { ConfigRow } from "@molecule/db/workspaces/config-rows";
import { diffStates } from "@molecule/domain/config-diff";
import { providerAfterModel } from "@molecule/domain/model-provider";

/** An edit of the configuration document and of the columns that `config.yaml` shows with it. */
export type DocumentChange = {
  readonly [K in keyof WorkspaceConfig]?: WorkspaceConfig[K] | undefined;
} & {
  readonly name?: string | undefined;
  readonly role?: string | null | undefined;
  readonly tier?: number | undefined;
};

/** The document after its edits. */
export interface EditedDocument {
  readonly config: WorkspaceConfig;
  /** Only what differs. */
  readonly columns: { name?: string; role?: string | null; tier?: number };
  /** Settings that differ, as the card names them. */
  readonly names: readonly string[];
  /** The same with both values; of the keys that we do not know, each by itself. */
  readonly values: readonly {
    readonly name: string;
    readonly before: unknown;
    readonly after: unknown;
  }[];
}

const NAMES: Record<keyof WorkspaceConfig, string> = {
  model: "model",
  provider: "provider",
  instructions: "instructions",
  description: "description",
  requiredEnv: "required keys",
  starterPrompts: "starter prompts",
  extra: "config.yaml",
  plugins: "plugins",
};

const PLUGIN_SETTING = "plugin: ";

/** The plugin that a setting of a comparison is about; null for every other. */
export function pluginOfSetting(name: string): string | null {
  return name.startsWith(PLUGIN_SETTING) ? name.slice(PLUGIN_SETTING.length) : null;
}

/**
 * Applies edits in order, later ones winning; what is equal to before is no change. A model that is
 * changed alone takes a provider along that was derived. SPEC: M5.
 */
export function editDocument(before: ConfigRow, edits: readonly DocumentChange[]): EditedDocument {
  const config: WorkspaceConfig = { ...before.config };
  const columns: { name?: string; role?: string | null; tier?: number } = {};
  for (const edit of edits) {
    const { name, role, tier, ...document } = edit;
    if (name !== undefined) columns.name = storableText(name);
    if (role !== undefined) columns.role = role && storableText(role);
    if (tier !== undefined) columns.tier = tier;
    const { model, provider } = document;
    if (model !== undefined && provider === undefined) {
      config.provider = providerAfterModel(config, model);
    }
    Object.assign(config, withoutAbsent(document));
  }
  Object.assign(config, storable(config));
  const names = keysOf(NAMES)
    .filter((key) => !isDeepStrictEqual(config[key], before.config[key]))
    .map((key) => NAMES[key]);
  for (const key of ["name", "role", "tier"] as const) {
    if (columns[key] === undefined) continue;
    if (columns[key] === before[key]) delete columns[key];
    else names.push(key);
  }
  const { settings: values } = diffStates(
    stateOf(before.config, { name: before.name, role: before.role, tier: before.tier }),
    stateOf(config, { name: before.name, role: before.role, tier: before.tier, ...columns }),
  );
  return { config, columns, names, values };
}

/** The settings of a document by the names a person reads, for a comparison of two. */
export function settingsOf(
  config: WorkspaceConfig,
  columns: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { extra, plugins = [], ...known } = config;
  const named = Object.entries(known).map(([key, value]) => [
    NAMES[key as keyof typeof known] ?? key,
    value,
  ]);
  const unknown = Object.entries(extra ?? {}).map(([key, value]) => [`config.yaml: ${key}`, value]);
  const installed = plugins.map((one) => [`${PLUGIN_SETTING}${one.name}`, pluginText(one)]);
  return Object.fromEntries([...Object.entries(columns), ...named, ...unknown, ...installed]);
}

function pluginText({ version, source, sha256 }: InstalledPlugin): string {
  return `${version} from ${source} (sha256 ${sha256.slice(0, 12)}…)`;
}

function stateOf(config: WorkspaceConfig, columns: Readonly<Record<string, unknown>>) {
  return { settings: settingsOf(config, columns), files: {}, secrets: [] };
}

/**
 * The document as it will be stored, so that what is saved again is no change. A blank model or provider
 * is none.
 */
function storable(config: WorkspaceConfig): WorkspaceConfig {
  const stored = JSON.parse(JSON.stringify(storableJson(config))) as WorkspaceConfig;
  const named = (text: string | null) => (text === null || text.trim() === "" ? null : text);
  return { ...stored, model: named(stored.model), provider: named(stored.provider) };
}

function withoutAbsent(edit: object): object {
  return Object.fromEntries(Object.entries(edit).filter(([, value]) => value !== undefined));
}

function keysOf<K extends string>(record: Record<K, unknown>): K[] {
  return Object.keys(record) as K[];
}
