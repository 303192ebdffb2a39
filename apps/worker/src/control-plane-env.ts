import { z } from "zod";
import type { ControlPlaneBackendOptions } from "./adapters/control-plane/control-plane-backend.ts";

const text = z
  .string()
  .optional()
  .transform((value) => (value === undefined || value.trim() === "" ? undefined : value.trim()));
const url = text.pipe(z.url({ protocol: /^https?$/ }).optional());

/** The service's variables. Source: wire contract §19.3, §22. */
export const controlPlaneVariables = {
  CP_PROVISION_URL: url,
  MOLECULE_CP_URL: url,
  MOLECULE_CP_SHARED_SECRET: text,
  PROVISION_SHARED_SECRET: text,
  CP_ADMIN_API_TOKEN: text,
  MOLECULE_CP_AGENT_PORT: z.coerce.number().int().min(1).max(65_535).default(8_000),
  PLATFORM_URL: url,
  EXTERNAL_PLATFORM_URL: url,
  PUBLIC_URL: url,
  ADMIN_TOKEN: text,
  MOLECULE_ORG_ID: text,
};

/** How long an ordinary call may take. */
const CALL_TIMEOUT_MS = 30_000;
/** Clouds take a minute or two to be rid of a machine; then the platform asks again. */
const STOP_WITHIN_MS = 60_000;

/** What the variables say. */
export type ControlPlaneSettings = Omit<
  ControlPlaneBackendOptions,
  "memory" | "desk" | "log" | "timeScale"
>;

/** Null where no service is named. @throws Error when machines could not find the platform. */
export function controlPlaneSettings(
  env: z.output<z.ZodObject<typeof controlPlaneVariables>>,
): ControlPlaneSettings | null {
  const baseUrl = env.CP_PROVISION_URL ?? env.MOLECULE_CP_URL;
  if (baseUrl === undefined) return null;
  const platformUrl = env.PLATFORM_URL ?? env.EXTERNAL_PLATFORM_URL ?? env.PUBLIC_URL;
  if (platformUrl === undefined) {
    throw new Error(
      "The variable PUBLIC_URL is missing: machines of the control plane could not find the platform.",
    );
  }
  return {
    baseUrl: baseUrl.replace(/\/+$/, ""),
    platformUrl: platformUrl.replace(/\/+$/, ""),
    sharedSecret: env.MOLECULE_CP_SHARED_SECRET ?? env.PROVISION_SHARED_SECRET,
    consoleToken: env.CP_ADMIN_API_TOKEN,
    adminToken: env.ADMIN_TOKEN,
    orgId: env.MOLECULE_ORG_ID ?? null,
    agentPort: env.MOLECULE_CP_AGENT_PORT,
    callTimeoutMs: CALL_TIMEOUT_MS,
    stopWithinMs: STOP_WITHIN_MS,
  };
}
