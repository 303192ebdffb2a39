/** The table of wire contract §19.2, word for word: prefixes, then the provider they stand for. */
export const CONTRACT_TABLE = `
| minimax, minimax-cn, minimax-oauth, anthropic, gemini, google-gemini-cli, deepseek, zai, kimi-coding, kimi-coding-cn, ollama-cloud, kilocode, opencode-zen, opencode-go, openrouter, custom, gmi, qwen-oauth, alibaba-coding-plan, openai-codex, copilot, copilot-acp | itself |
| alibaba, dashscope, qwen | alibaba |
| xiaomi, mimo | xiaomi |
| arcee, arcee-ai | arcee |
| nvidia, nim | nvidia |
| huggingface, hf | huggingface |
| ai-gateway, aigateway | ai-gateway |
| xai, grok | xai |
| bedrock, aws | bedrock |
| tencent, tencent-tokenhub | tencent-tokenhub |
| lmstudio, lm-studio | lmstudio |
| nousresearch, openai | openrouter |
`;

/** What a script in somebody else's image answers for a prefix. */
export interface ScriptRow {
  readonly prefix: string;
  /** Without any key set; `auto` for a prefix that the script does not know. */
  readonly provider: string;
  /** What it answers instead while one of these keys is set and none of `unless`. */
  readonly byKeys?: {
    readonly keys: readonly string[];
    readonly unless: readonly string[];
    readonly provider: string;
  };
}

const itself = (prefix: string): ScriptRow => ({ prefix, provider: prefix });
const all = (provider: string, ...prefixes: string[]): ScriptRow[] =>
  prefixes.map((prefix) => ({ prefix, provider }));

/** The published hermes image (`scripts/derive-provider.sh` of its repository, read November 2026). */
export const HERMES_SCRIPT: readonly ScriptRow[] = [
  itself("minimax"),
  itself("minimax-cn"),
  itself("minimax-oauth"),
  itself("anthropic"),
  itself("gemini"),
  itself("google-gemini-cli"),
  itself("deepseek"),
  itself("zai"),
  itself("kimi-coding"),
  itself("kimi-coding-cn"),
  itself("ollama-cloud"),
  itself("kilocode"),
  itself("opencode-zen"),
  itself("opencode-go"),
  itself("openrouter"),
  itself("custom"),
  itself("gmi"),
  itself("qwen-oauth"),
  itself("alibaba-coding-plan"),
  itself("openai-codex"),
  itself("copilot"),
  itself("copilot-acp"),
  ...all("alibaba", "alibaba", "dashscope", "qwen"),
  ...all("xiaomi", "xiaomi", "mimo"),
  ...all("arcee", "arcee", "arcee-ai"),
  ...all("nvidia", "nvidia", "nim"),
  ...all("huggingface", "huggingface", "hf"),
  ...all("ai-gateway", "ai-gateway", "aigateway"),
  ...all("xai", "xai", "grok"),
  ...all("bedrock", "bedrock", "aws"),
  ...all("tencent-tokenhub", "tencent", "tencent-tokenhub"),
  ...all("lmstudio", "lmstudio", "lm-studio"),
  // Accepted: with a key of OpenAI and none of OpenRouter it talks to OpenAI directly.
  {
    prefix: "openai",
    provider: "openrouter",
    byKeys: { keys: ["OPENAI_API_KEY"], unless: ["OPENROUTER_API_KEY"], provider: "custom" },
  },
  // Accepted: with a key of Nous it talks to Nous directly.
  {
    prefix: "nousresearch",
    provider: "openrouter",
    byKeys: { keys: ["HERMES_API_KEY", "NOUS_API_KEY"], unless: [], provider: "nous" },
  },
];

/** Prefixes for which an image may answer otherwise than the server. Source: wire contract §19.2. */
export const ACCEPTED_DIFFERENCES: readonly string[] = ["nousresearch", "openai"];
