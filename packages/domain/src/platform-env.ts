/** Names in an agent's environment that the platform decides, on every backend. */
const DECIDED: ReadonlySet<string> = new Set([
  "AGENT_ADAPTER",
  "AGENT_SECRET_NAMES",
  "DELEGATION_RESULTS_FILE",
  "HOME",
  "HOST_BIND",
  "LLM_PROVIDER",
  "MODEL",
  "MODEL_PROVIDER",
  "MOLECULE_ATTEMPT",
  "MOLECULE_BOOT_TOKEN",
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

/**
 * True when a secret of this name does not reach the agent, because the platform decides the name: also
 * model and provider where none is chosen, so that no agent runs with another one than is shown. SPEC: SE2.
 */
export function isDecidedByPlatform(name: string): boolean {
  return DECIDED.has(name);
}
