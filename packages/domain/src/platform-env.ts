/** Names in an agent's environment that the platform decides, on every backend. */
const ALWAYS: ReadonlySet<string> = new Set([
  "AGENT_ADAPTER",
  "AGENT_SECRET_NAMES",
  "DELEGATION_RESULTS_FILE",
  "HOME",
  "HOST_BIND",
  "MOLECULE_ATTEMPT",
  "MOLECULE_INSTANCE",
  "MOLECULE_URL",
  "PLATFORM_URL",
  "PLUGINS_DIR",
  "PORT",
  "TIER",
  "WORKSPACE_CONFIG_PATH",
  "WORKSPACE_DIR_PATH",
  "WORKSPACE_ID",
  "WORKSPACE_NAME",
]);

/** What is chosen in the configuration document; null where nothing is. */
export interface ChosenBrain {
  readonly model: string | null;
  readonly provider: string | null;
}

/** True when a secret of this name does not reach the agent, because the platform's value wins. SPEC: SE2. */
export function isDecidedByPlatform(name: string, { model, provider }: ChosenBrain): boolean {
  if (name === "MODEL" || name === "MODEL_PROVIDER") return model !== null;
  if (name === "LLM_PROVIDER") return provider !== null;
  return ALWAYS.has(name);
}
