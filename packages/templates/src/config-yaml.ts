import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import { readOffer } from "@molecule/domain/model-offer";
import { RUNTIMES, type Runtime } from "@molecule/domain/sets";
import { z } from "zod";
import { readYamlMapping, refusedYaml } from "./read-yaml.ts";
import { CONFIG_FILE } from "./render-config.ts";

/** What a `config.yaml` says. Absent means the file does not say it. */
export interface ConfigYaml {
  readonly name: string | undefined;
  readonly role: string | undefined;
  readonly tier: number | undefined;
  readonly runtime: Runtime | undefined;
  /** Everything of the document but the instructions, which are `system-prompt.md`. */
  readonly config: Omit<WorkspaceConfig, "instructions">;
}

const text = (max: number) => z.string().max(max);
const envKey = z.string().regex(/^[A-Z][A-Z0-9_]{0,127}$/, "must be like OPENAI_API_KEY");

const yamlShape = z.looseObject({
  name: text(255).min(1).optional(),
  role: text(1000).nullish(),
  description: text(1000).nullish(),
  tier: z.number().int().min(1).max(4).optional(),
  runtime: z.enum(RUNTIMES).optional(),
  model: text(100).nullish(),
  provider: text(100).nullish(),
  starter_prompts: z.array(text(1000)).max(20).nullish(),
  runtime_config: z
    .looseObject({
      model: text(100).nullish(),
      provider: text(100).nullish(),
      required_env: z.array(envKey).max(50).nullish(),
    })
    .nullish(),
});

/**
 * The configuration that `source` describes; keys we do not know are kept in `config.extra`.
 * @throws DomainError `bad_request` with the line, or the field, that is wrong.
 */
export function parseConfigYaml(source: string): ConfigYaml {
  const parsed = yamlShape.safeParse(readYamlMapping(CONFIG_FILE, source));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue === undefined ? "" : issue.path.map(String).join(".");
    const what = issue === undefined ? "is not valid" : issue.message;
    throw refusedYaml(CONFIG_FILE, `the field “${field}” is not valid: ${what}`);
  }
  const { name, role, tier, runtime, ...document } = parsed.data;
  const { description, model, provider, starter_prompts, ...rest } = document;
  const { runtime_config, ...unknownKeys } = rest;
  const { model: innerModel, provider: innerProvider, ...inner } = runtime_config ?? {};
  const { required_env, ...unknownInner } = inner;
  const extra: Record<string, unknown> = { ...unknownKeys };
  if (Object.keys(unknownInner).length > 0) extra.runtime_config = unknownInner;
  return {
    name,
    role: blankAsNull(role) ?? undefined,
    tier,
    runtime,
    config: {
      model: blankAsNull(model) ?? blankAsNull(innerModel),
      provider: blankAsNull(provider) ?? blankAsNull(innerProvider),
      description: description ?? "",
      requiredEnv: required_env ?? [],
      starterPrompts: starter_prompts ?? [],
      extra,
    },
  };
}

function blankAsNull(value: string | null | undefined): string | null {
  return value === undefined || value === null || value === "" ? null : value;
}

/** The models that the document offers (`runtime_config.models`), in order; [] when it names none. */
export function offeredModels(
  extra: Readonly<Record<string, unknown>>,
): { id: string; name: string }[] {
  return readOffer(extra).models.map(({ id, name }) => ({ id, name }));
}
