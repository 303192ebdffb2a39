import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import { DomainError } from "@molecule/domain/errors";
import { RUNTIMES, type Runtime } from "@molecule/domain/sets";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";

/** Largest `config.yaml` that is read, in bytes. */
export const MAX_CONFIG_YAML_BYTES = 262_144;

/** What a `config.yaml` says. Absent means the file does not say it. */
export interface ConfigYaml {
  readonly name: string | undefined;
  readonly role: string | undefined;
  readonly tier: number | undefined;
  readonly runtime: Runtime | undefined;
  /** Everything of the document but the instructions, which are `system-prompt.md`. */
  readonly config: Omit<WorkspaceConfig, "instructions">;
}

/** A model that a template offers. */
export interface OfferedModel {
  readonly id: string;
  readonly name: string;
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
    .looseObject({ model: text(100).nullish(), required_env: z.array(envKey).max(50).nullish() })
    .nullish(),
});

/**
 * The configuration that `source` describes; keys we do not know are kept in `config.extra`.
 * @throws DomainError `bad_request` with the line, or the field, that is wrong.
 */
export function parseConfigYaml(source: string): ConfigYaml {
  const parsed = yamlShape.safeParse(readMapping(source));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue === undefined ? "" : issue.path.map(String).join(".");
    const what = issue === undefined ? "is not valid" : issue.message;
    throw refused(`the field “${field}” is not valid: ${what}`);
  }
  const { name, role, tier, runtime, ...document } = parsed.data;
  const { description, model, provider, starter_prompts, ...rest } = document;
  const { runtime_config, ...unknownKeys } = rest;
  const { model: innerModel, required_env, ...unknownInner } = runtime_config ?? {};
  const extra: Record<string, unknown> = { ...unknownKeys };
  if (Object.keys(unknownInner).length > 0) extra.runtime_config = unknownInner;
  return {
    name,
    role: blankAsNull(role) ?? undefined,
    tier,
    runtime,
    config: {
      model: blankAsNull(model) ?? blankAsNull(innerModel),
      provider: blankAsNull(provider),
      description: description ?? "",
      requiredEnv: required_env ?? [],
      starterPrompts: starter_prompts ?? [],
      extra,
    },
  };
}

function readMapping(source: string): unknown {
  if (new TextEncoder().encode(source).length > MAX_CONFIG_YAML_BYTES) {
    throw refused("it is larger than 256 KiB");
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(source, { lineCounter, prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) {
    const { line } = lineCounter.linePos(error.pos[0]);
    throw refused(`line ${line} is not valid YAML`);
  }
  // Aliases are counted by the library: a file that grows a hundredfold when read is refused.
  const value = readDocument(() => document.toJS({ maxAliasCount: 100 }));
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw refused("it must be a list of “key: value” lines");
  }
  // Dates, bigints and other values without a JSON form must not reach the stored document.
  return readDocument(() => JSON.parse(JSON.stringify(value)));
}

function readDocument(read: () => unknown): unknown {
  try {
    return read();
  } catch (cause) {
    throw new DomainError("bad_request", "config.yaml cannot be read: it refers to itself.", {
      cause,
    });
  }
}

function blankAsNull(value: string | null | undefined): string | null {
  return value === undefined || value === null || value === "" ? null : value;
}

function refused(why: string): DomainError {
  return new DomainError("bad_request", `config.yaml cannot be read: ${why}.`, {
    next: "Correct the file and save it again.",
  });
}

const modelShape = z.object({ id: z.string().min(1).max(100), name: z.string().optional() });
const modelsShape = z.object({ runtime_config: z.object({ models: z.array(z.unknown()) }) });

/** The models that the document offers (`runtime_config.models`), in order; [] when it names none. */
export function offeredModels(extra: Readonly<Record<string, unknown>>): OfferedModel[] {
  const parsed = modelsShape.safeParse(extra);
  if (!parsed.success) return [];
  return parsed.data.runtime_config.models.flatMap((entry) => {
    const model = modelShape.safeParse(entry);
    return model.success ? [{ id: model.data.id, name: model.data.name ?? model.data.id }] : [];
  });
}
