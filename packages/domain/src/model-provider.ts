/** Prefixes that are a provider's own name. Source: wire contract §19.2. */
const OWN_NAMES = [
  ...["minimax", "minimax-cn", "minimax-oauth", "anthropic", "gemini", "google-gemini-cli"],
  ...["deepseek", "zai", "kimi-coding", "kimi-coding-cn", "ollama-cloud", "kilocode"],
  ...["opencode-zen", "opencode-go", "openrouter", "custom", "gmi", "qwen-oauth"],
  ...["alibaba-coding-plan", "openai-codex", "copilot", "copilot-acp", "alibaba", "xiaomi"],
  ...["arcee", "nvidia", "huggingface", "ai-gateway", "xai", "bedrock", "tencent-tokenhub"],
  "lmstudio",
] as const;

/** Prefixes that go by another name. Source: wire contract §19.2. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["dashscope", "alibaba"],
  ["qwen", "alibaba"],
  ["mimo", "xiaomi"],
  ["arcee-ai", "arcee"],
  ["nim", "nvidia"],
  ["hf", "huggingface"],
  ["aigateway", "ai-gateway"],
  ["grok", "xai"],
  ["aws", "bedrock"],
  ["tencent", "tencent-tokenhub"],
  ["lm-studio", "lmstudio"],
  ["nousresearch", "openrouter"],
  ["openai", "openrouter"],
]);

/**
 * The provider a model's name begins with, as `provider/model`; null without a slash and for a prefix
 * that nobody knows. Compared exactly. SPEC: M1 to M3.
 */
export function providerOfModel(model: string): string | null {
  const slash = model.indexOf("/");
  if (slash < 0) return null;
  const prefix = model.slice(0, slash);
  return OWN_NAMES.find((name) => name === prefix) ?? OTHER_NAMES.get(prefix) ?? null;
}
