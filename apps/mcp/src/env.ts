import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { z } from "zod";

const optionalText = z
  .string()
  .optional()
  .transform((text) => (text === undefined || text.trim() === "" ? undefined : text.trim()));

const schema = z.object({
  WORKSPACE_ID: z.string().trim().min(1, "is missing"),
  PLATFORM_URL: z
    .string()
    .trim()
    .min(1, "is missing")
    .regex(/^https?:\/\/[^\s/]+/i, "must be like http://127.0.0.1:8080"),
  MOLECULE_WORKSPACE_TOKEN: optionalText,
  CONFIGS_DIR: optionalText,
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
  /** Token, inbound secret and the place in the inbox. */
  readonly configsDir: string;
  /** False when another process registers, beats and takes the messages of this workspace. */
  readonly isPresent: boolean;
  readonly agentName: string;
  readonly agentDescription: string | undefined;
  readonly agentSkills: readonly string[];
}

/** @throws Error with one sentence naming the variable that is missing or cannot be used. */
export function readEnv(
  source: Readonly<Record<string, string | undefined>> = process.env,
): McpEnv {
  const parsed = schema.safeParse({
    ...source,
    WORKSPACE_ID: source.WORKSPACE_ID ?? "",
    PLATFORM_URL: source.PLATFORM_URL ?? "",
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`The variable ${issue?.path.join(".")} ${issue?.message}.`);
  }
  const env = parsed.data;
  const skills = (env.MOLECULE_AGENT_SKILLS ?? "").split(",").map((skill) => skill.trim());
  return {
    workspaceId: env.WORKSPACE_ID,
    platformUrl: env.PLATFORM_URL.replace(/\/+$/, ""),
    token: env.MOLECULE_WORKSPACE_TOKEN,
    configsDir: env.CONFIGS_DIR ?? defaultFolder(env.WORKSPACE_ID),
    isPresent: env.MOLECULE_MCP_DISABLE_HEARTBEAT !== "1",
    agentName: env.MOLECULE_AGENT_NAME ?? env.WORKSPACE_ID,
    agentDescription: env.MOLECULE_AGENT_DESCRIPTION,
    agentSkills: skills.filter((skill) => skill !== ""),
  };
}

/** `/configs` is there on a machine that the platform started, and nowhere else. */
function defaultFolder(workspaceId: string): string {
  const name = workspaceId.replace(/[^A-Za-z0-9_-]/g, "_");
  return existsSync("/configs") ? "/configs" : path.join(homedir(), ".molecule-workspaces", name);
}
