import { z } from "zod";

const optionalText = z
  .string()
  .optional()
  .transform((text) => (text === "" ? undefined : text));

const schema = z.object({
  WORKSPACE_ID: z.string().min(1),
  PLATFORM_URL: z.string().min(1),
  MOLECULE_WORKSPACE_TOKEN: optionalText,
  CONFIGS_DIR: z.string().min(1).default("/configs"),
  MOLECULE_MCP_DISABLE_HEARTBEAT: optionalText,
  MOLECULE_AGENT_NAME: optionalText,
  MOLECULE_AGENT_DESCRIPTION: optionalText,
  MOLECULE_AGENT_SKILLS: optionalText,
});

/** Which workspace the tools speak for. Source: wire contract §20. */
export interface McpEnv {
  readonly workspaceId: string;
  readonly platformUrl: string;
  /** Wins over the file in `configsDir`. */
  readonly token: string | undefined;
  readonly configsDir: string;
  /** False when another process already registers and beats for this workspace. */
  readonly isPresent: boolean;
  readonly agentName: string;
  readonly agentDescription: string | undefined;
  readonly agentSkills: readonly string[];
}

/** @throws Error with one sentence naming the variable that is missing. */
export function readEnv(
  source: Readonly<Record<string, string | undefined>> = process.env,
): McpEnv {
  const parsed = schema.safeParse(source);
  if (!parsed.success) {
    throw new Error(`The variable ${parsed.error.issues[0]?.path.join(".")} is missing.`);
  }
  const env = parsed.data;
  const skills = (env.MOLECULE_AGENT_SKILLS ?? "").split(",").map((skill) => skill.trim());
  return {
    workspaceId: env.WORKSPACE_ID,
    platformUrl: env.PLATFORM_URL,
    token: env.MOLECULE_WORKSPACE_TOKEN,
    configsDir: env.CONFIGS_DIR,
    isPresent: env.MOLECULE_MCP_DISABLE_HEARTBEAT !== "1",
    agentName: env.MOLECULE_AGENT_NAME ?? env.WORKSPACE_ID,
    agentDescription: env.MOLECULE_AGENT_DESCRIPTION,
    agentSkills: skills.filter((skill) => skill !== ""),
  };
}
