import { z } from "zod";

const ADAPTERS = ["demo", "claude-code"] as const;
type AdapterName = (typeof ADAPTERS)[number];

const optionalText = z
  .string()
  .optional()
  .transform((text) => (text === "" ? undefined : text));

const schema = z.object({
  WORKSPACE_ID: z.string().min(1),
  WORKSPACE_NAME: optionalText,
  WORKSPACE_CONFIG_PATH: z.string().min(1).default("/configs"),
  WORKSPACE_DIR_PATH: z.string().min(1).default("/workspace"),
  HOME: z.string().min(1).default("/home"),
  PLUGINS_DIR: z.string().min(1).default("/plugins"),
  PLATFORM_URL: optionalText,
  MOLECULE_URL: optionalText,
  HOST_BIND: z.string().min(1).default("0.0.0.0"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8000),
  AGENT_URL: optionalText,
  HOSTNAME: optionalText,
  MOLECULE_BOOT_TOKEN: optionalText,
  MOLECULE_ATTEMPT: z.coerce.number().int().min(0).default(0),
  AGENT_ADAPTER: z.enum(ADAPTERS).default("demo"),
  AGENT_PACKAGE_DIR: optionalText,
  AGENT_SECRET_NAMES: optionalText,
  MODEL: optionalText,
  MODEL_PROVIDER: optionalText,
  LLM_PROVIDER: optionalText,
  TIER: optionalText,
});

/** What this instance was started with. The only reader of the process environment. */
export interface RuntimeEnv {
  readonly workspaceId: string;
  readonly workspaceName: string | undefined;
  readonly configDir: string;
  readonly workspaceDir: string;
  readonly homeDir: string;
  readonly pluginsDir: string;
  readonly platformUrl: string;
  readonly hostBind: string;
  /** 0 means any free port. */
  readonly port: number;
  /** The address told to the platform; undefined means derived from the host and port. */
  readonly agentUrl: string | undefined;
  readonly hostname: string | undefined;
  /** Exchanged once for the token of the attempt; undefined where that was placed before the start. */
  readonly bootToken: string | undefined;
  /** Number of the attempt this instance belongs to; 0 outside the platform. */
  readonly attempt: number;
  readonly adapter: AdapterName;
  /** Folder whose `node_modules` holds the agent's package; undefined for the demo agent. */
  readonly agentPackageDir: string | undefined;
  /** Names of the workspace's secrets, which its agent may read from its environment. */
  readonly secretNames: readonly string[];
  readonly model: string | undefined;
  readonly provider: string | undefined;
  readonly tier: string | undefined;
  /** Every variable as it is, for adapters that pass an allow-list on. Never logged. */
  readonly all: Readonly<Record<string, string | undefined>>;
}

/** @throws Error with one sentence naming the variable that is missing or wrong. */
export function readEnv(
  source: Readonly<Record<string, string | undefined>> = process.env,
): RuntimeEnv {
  const parsed = schema.safeParse(source);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`The variable ${issue?.path.join(".")} is missing or wrong: ${issue?.message}`);
  }
  const env = parsed.data;
  const platformUrl = env.PLATFORM_URL ?? env.MOLECULE_URL;
  if (platformUrl === undefined) throw new Error("The variable PLATFORM_URL is missing.");
  return {
    workspaceId: env.WORKSPACE_ID,
    workspaceName: env.WORKSPACE_NAME,
    configDir: env.WORKSPACE_CONFIG_PATH,
    workspaceDir: env.WORKSPACE_DIR_PATH,
    homeDir: env.HOME,
    pluginsDir: env.PLUGINS_DIR,
    platformUrl,
    hostBind: env.HOST_BIND,
    port: env.PORT,
    agentUrl: env.AGENT_URL,
    hostname: env.HOSTNAME,
    bootToken: env.MOLECULE_BOOT_TOKEN,
    attempt: env.MOLECULE_ATTEMPT,
    adapter: env.AGENT_ADAPTER,
    agentPackageDir: env.AGENT_PACKAGE_DIR,
    secretNames: (env.AGENT_SECRET_NAMES ?? "").split(",").filter((name) => name !== ""),
    model: env.MODEL,
    provider: env.LLM_PROVIDER,
    tier: env.TIER,
    all: source,
  };
}
