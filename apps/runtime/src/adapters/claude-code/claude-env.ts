import { prefixOfModel, providerOfModel } from "@molecule/domain/model-provider";

/** Names the agent gets when they are set. Nothing else of the runtime's environment reaches it. */
const PASSED_ON = [
  "PATH",
  "LANG",
  "LANGUAGE",
  "LC_ALL",
  "LC_CTYPE",
  "TZ",
  "TERM",
  "SHELL",
  "USER",
  "LOGNAME",
  "TMPDIR",
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_BASE_URL",
  "ANTHROPIC_CUSTOM_HEADERS",
  "ANTHROPIC_SMALL_FAST_MODEL",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "GIT_AUTHOR_NAME",
  "GIT_AUTHOR_EMAIL",
  "GIT_COMMITTER_NAME",
  "GIT_COMMITTER_EMAIL",
  "GITHUB_TOKEN",
  "GH_TOKEN",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  /** Lets the platform find what an agent left behind. */
  "MOLECULE_INSTANCE",
] as const;

/** Keys of which one must be set. */
export const CLAUDE_KEYS = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "CLAUDE_CODE_OAUTH_TOKEN",
] as const;

/** What the agent's environment is made of. */
export interface ClaudeEnvInput {
  readonly source: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  readonly model: string | undefined;
  /** Names of the workspace's own secrets, which its agent may use. */
  readonly secretNames: readonly string[];
  readonly isRoot: boolean;
  /** How long one tool call may take, in ms. */
  readonly toolTimeoutMs: number;
}

/** Names that never reach the agent, whoever asks: they speak for the platform or load code. */
const NEVER = /^(?:MOLECULE_WORKSPACE_TOKEN|ADMIN_TOKEN|DATABASE_URL|NODE_OPTIONS|LD_.*|DYLD_.*)$/;

/** The whole environment of the agent's process. */
export function claudeEnv(input: ClaudeEnvInput): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of [...PASSED_ON, ...input.secretNames]) {
    const value = input.source[name];
    if (value !== undefined && value !== "" && !NEVER.test(name)) env[name] = value;
  }
  return {
    ...env,
    HOME: input.homeDir,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    CLAUDE_CODE_MAX_RETRIES: "1",
    NO_BROWSER: "1",
    MCP_TOOL_TIMEOUT: String(input.toolTimeoutMs),
    ...(input.model === undefined ? {} : { ANTHROPIC_MODEL: modelName(input.model) }),
    ...(input.isRoot ? { IS_SANDBOX: "1" } : {}),
  };
}

/** The name as the agent knows it: without its own provider in front, by the platform's table. */
function modelName(model: string): string {
  const prefix = prefixOfModel(model);
  if (prefix !== null && providerOfModel(model) === "anthropic") {
    return model.slice(prefix.length + 1);
  }
  return model.replace(/^anthropic:/, "");
}
