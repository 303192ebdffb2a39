/**
 * Providers and the prefixes under which their models are named, as `prefix/model`. The one table of
 * the platform: server, runtime and canvas derive from it. Source: wire contract §19.2.
 */
const PREFIXES_OF: Readonly<Record<string, readonly string[]>> = {
  minimax: ["minimax"],
  "minimax-cn": ["minimax-cn"],
  "minimax-oauth": ["minimax-oauth"],
  anthropic: ["anthropic"],
  gemini: ["gemini"],
  "google-gemini-cli": ["google-gemini-cli"],
  deepseek: ["deepseek"],
  zai: ["zai"],
  "kimi-coding": ["kimi-coding"],
  "kimi-coding-cn": ["kimi-coding-cn"],
  "ollama-cloud": ["ollama-cloud"],
  kilocode: ["kilocode"],
  "opencode-zen": ["opencode-zen"],
  "opencode-go": ["opencode-go"],
  custom: ["custom"],
  gmi: ["gmi"],
  "qwen-oauth": ["qwen-oauth"],
  "alibaba-coding-plan": ["alibaba-coding-plan"],
  "openai-codex": ["openai-codex"],
  copilot: ["copilot"],
  "copilot-acp": ["copilot-acp"],
  alibaba: ["alibaba", "dashscope", "qwen"],
  xiaomi: ["xiaomi", "mimo"],
  arcee: ["arcee", "arcee-ai"],
  nvidia: ["nvidia", "nim"],
  huggingface: ["huggingface", "hf"],
  "ai-gateway": ["ai-gateway", "aigateway"],
  xai: ["xai", "grok"],
  bedrock: ["bedrock", "aws"],
  "tencent-tokenhub": ["tencent", "tencent-tokenhub"],
  lmstudio: ["lmstudio", "lm-studio"],
  // An image's own script may look at the keys first; this is the server's simpler answer. SPEC: M4.
  openrouter: ["openrouter", "nousresearch", "openai"],
};

/** Provider by prefix. */
export const PROVIDER_OF_PREFIX: ReadonlyMap<string, string> = new Map(
  Object.entries(PREFIXES_OF).flatMap(([provider, prefixes]) =>
    prefixes.map((prefix) => [prefix, provider] as const),
  ),
);

/** The text before the first slash of a model's name; null without a slash. */
export function prefixOfModel(model: string): string | null {
  const slash = model.indexOf("/");
  return slash < 0 ? null : model.slice(0, slash);
}

/**
 * The provider a model's name begins with, as `provider/model`; null without a slash and for a prefix
 * that nobody knows. Compared exactly. SPEC: M1 to M3.
 */
export function providerOfModel(model: string): string | null {
  const prefix = prefixOfModel(model);
  return prefix === null ? null : (PROVIDER_OF_PREFIX.get(prefix) ?? null);
}

/** Model and provider of a configuration; null where it names none. */
export interface ModelChoice {
  readonly model: string | null;
  readonly provider: string | null;
}

/**
 * The provider after a change of the model alone: one that was derived follows the model, one that
 * somebody chose stays. SPEC: M5.
 */
export function providerAfterModel(before: ModelChoice, model: string | null): string | null {
  const derivedBefore = before.model === null ? null : providerOfModel(before.model);
  if (before.provider !== derivedBefore) return before.provider;
  return model === null ? null : providerOfModel(model);
}

/**
 * Model and provider after a template was applied: what somebody chose stays, what is the former
 * template's (`from`) becomes the new one's. Null `from`: nobody knows it. SPEC: M8.
 */
export function choiceAfterTemplate(
  before: ModelChoice,
  { from, to }: { readonly from: ModelChoice | null; readonly to: ModelChoice },
): ModelChoice {
  const isFormer = before.model === from?.model && before.provider === from.provider;
  return before.model === null || isFormer ? to : before;
}
