import { prefixOfModel, providerOfModel } from "./model-provider.ts";

/** A model that a configuration offers. */
export interface OfferedModel {
  readonly id: string;
  readonly name: string;
  /** Keys it needs, all of them; null where it does not say and the configuration's hold. */
  readonly requiredEnv: readonly string[] | null;
}

/** A provider with what is known of it. Source: wire contract §11.1 `provider_registry`. */
export interface RegisteredProvider {
  readonly name: string;
  /** Beginnings of the names of its models. */
  readonly modelPrefixes: readonly string[];
  /** Whole names of its models. */
  readonly modelAliases: readonly string[];
  /** Keys of which one is enough; empty where it does not say. */
  readonly authEnv: readonly string[];
}

/** What a configuration offers to think with, from the keys of `config.yaml` that stay in `extra`. */
export interface ModelOffer {
  /** `runtime_config.models`, in order. */
  readonly models: readonly OfferedModel[];
  /** `runtime_config.providers`. */
  readonly providers: readonly string[];
  /** Top-level `providers`. */
  readonly registry: readonly RegisteredProvider[];
}

/** A provider and the models it is known to have. */
export interface ProviderChoice {
  /** Null: nobody says whose models these are. */
  readonly provider: string | null;
  /** The configuration does not name it; the prefixes of its models do. */
  readonly isInferred: boolean;
  readonly models: readonly OfferedModel[];
}

/** One thing that must be set before a start: any one of these keys. Never empty. */
export type KeyNeed = readonly string[];

/** The offer in `extra`; what is malformed in it is skipped, because a running agent has it already. */
export function readOffer(extra: Readonly<Record<string, unknown>>): ModelOffer {
  const inner = isRecord(extra.runtime_config) ? extra.runtime_config : {};
  return {
    models: listOf(inner.models).flatMap(readModel),
    providers: unique(namesIn(inner.providers)),
    registry: listOf(extra.providers).flatMap(readProvider),
  };
}

/**
 * Providers in the order to choose from, each with its models: those the registry names, then those of
 * the list. Where neither exists, the ones that the models' prefixes name. Models that nobody claims
 * come last, without a provider. SPEC: M6.
 */
export function providerChoices(offer: ModelOffer): ProviderChoice[] {
  const { models, providers, registry } = offer;
  const stated = unique([...registry.map(({ name }) => name), ...providers]);
  const inferred = unique(models.flatMap(({ id }) => providerOfModel(id) ?? []));
  const isInferred = stated.length === 0;
  const choices = (isInferred ? inferred : stated).map((provider) => {
    const entry = registry.find(({ name }) => name === provider);
    return {
      provider,
      isInferred,
      models: models.filter(({ id }) => isModelOf(id, provider, entry)),
    };
  });
  const rest = models.filter((model) => choices.every((choice) => !choice.models.includes(model)));
  return rest.length === 0
    ? choices
    : [...choices, { provider: null, isInferred: false, models: rest }];
}

function isModelOf(id: string, provider: string, entry: RegisteredProvider | undefined): boolean {
  if (entry?.modelAliases.includes(id)) return true;
  if (entry?.modelPrefixes.some((prefix) => id.startsWith(prefix))) return true;
  return prefixOfModel(id) === provider || providerOfModel(id) === provider;
}

/** What decides which keys an agent needs; a configuration document fits. */
export interface KeyFacts {
  readonly model: string | null;
  readonly provider: string | null;
  /** Keys for every model that does not say otherwise. */
  readonly requiredEnv: readonly string[];
  readonly extra: Readonly<Record<string, unknown>>;
}

/**
 * The keys that this pair of provider and model needs. A provider's own keys take the place of those
 * that belong to others of the offer; a model's own keys take the place of all; without either those
 * of the configuration hold. SPEC: M7.
 */
export function requiredKeys(facts: KeyFacts): KeyNeed[] {
  const own = keysOfPair(facts);
  const said = new Set(own.map((need) => need.join()));
  return [...own, ...teamNeeds(facts.extra).filter((need) => !said.has(need.join()))];
}

/** Key of `config.yaml`: what the team that a workspace was made with needs, as its `required_env`. */
export const TEAM_NEEDS = "team_required_env";

/** The needs of its team hold whatever the model is. SPEC: OR5. */
function teamNeeds(extra: Readonly<Record<string, unknown>>): KeyNeed[] {
  return listOf(extra[TEAM_NEEDS]).flatMap((need) => {
    const keys = namesIn(isRecord(need) ? need.any_of : [need]);
    return keys.length === 0 ? [] : [keys];
  });
}

function keysOfPair(facts: KeyFacts): KeyNeed[] {
  const { models, registry } = readOffer(facts.extra);
  const authEnv = registry.find(({ name }) => name === facts.provider)?.authEnv ?? [];
  if (authEnv.length > 0) {
    const others = new Set([
      ...registry.flatMap((entry) => entry.authEnv),
      ...models.flatMap((model) => model.requiredEnv ?? []),
    ]);
    const general = facts.requiredEnv.filter((key) => !others.has(key));
    return [authEnv, ...general.map((key) => [key])];
  }
  const own = models.find(({ id }) => id === facts.model)?.requiredEnv;
  return unique(own ?? facts.requiredEnv).map((key) => [key]);
}

/** The needs that no key of `set` meets. */
export function unmetNeeds(needs: readonly KeyNeed[], set: (key: string) => boolean): KeyNeed[] {
  return needs.filter((need) => !need.some(set));
}

function readModel(value: unknown): OfferedModel[] {
  if (!isRecord(value) || typeof value.id !== "string") return [];
  const { id, name } = value;
  if (id === "" || id.length > MAX_MODEL_CHARS) return [];
  const hasKeys = Array.isArray(value.required_env);
  return [
    {
      id,
      name: typeof name === "string" && name !== "" ? name : id,
      requiredEnv: hasKeys ? namesIn(value.required_env) : null,
    },
  ];
}

function readProvider(value: unknown): RegisteredProvider[] {
  if (!isRecord(value) || typeof value.name !== "string" || value.name === "") return [];
  return [
    {
      name: value.name,
      modelPrefixes: namesIn(value.model_prefixes),
      modelAliases: namesIn(value.model_aliases),
      authEnv: namesIn(value.auth_env),
    },
  ];
}

/** Longest name of a model, in characters. */
const MAX_MODEL_CHARS = 100;

function namesIn(value: unknown): string[] {
  return listOf(value).filter((name) => typeof name === "string" && name !== "") as string[];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
