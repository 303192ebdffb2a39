import { NoAnswerError } from "@molecule/runtime-sdk/http-json";
import type { PlatformClient } from "@molecule/runtime-sdk/platform-client";
import { z } from "zod";
import type { Log } from "./log.ts";

/** The start does not wait longer for them, in ms. */
const DEADLINE_MS = 5_000;

const resolved = z.object({ instructions: z.string() });

/**
 * What the operator tells every agent and this one; empty when there is nothing, and when the platform has
 * no such route or does not answer: an agent starts without it and says so in its log. Source: wire
 * contract §20.
 */
export async function readInstructions(
  client: Pick<PlatformClient, "call" | "workspaceId">,
  log: Pick<Log, "warn">,
): Promise<string> {
  const path = `/workspaces/${encodeURIComponent(client.workspaceId)}/instructions/resolve`;
  try {
    const { status, body } = await client.call({ method: "GET", path, deadlineMs: DEADLINE_MS });
    if (status === 200) return resolved.parse(body).instructions;
    log.warn("the platform gave no instructions", { status });
  } catch (error) {
    if (!(error instanceof NoAnswerError) && !(error instanceof z.ZodError)) throw error;
    log.warn("the platform gave no instructions", { error });
  }
  return "";
}
