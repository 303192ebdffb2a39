import type { Server } from "node:http";
import type { TurnExecutor } from "./a2a/turn-executor.ts";
import type { AgentAdapter } from "./agent-adapter.ts";
import type { Log } from "./log.ts";
import type { Presence } from "./presence.ts";
import { within } from "./within.ts";

/** What runs and must end. */
export interface Stoppable {
  readonly server: Server;
  readonly executor: TurnExecutor;
  readonly presence: Presence;
  readonly adapter: AgentAdapter;
  readonly log: Log;
}

/** How long turns may take to end after a cancel, and the last beat, in ms. */
const TURNS_WITHIN_MS = 2_000;
const LAST_BEAT_WITHIN_MS = 1_000;

/**
 * Ends everything: no new connections, turns cancelled and their answers sent, a last beat, the agent,
 * the remaining connections. A part that fails or hangs does not keep the next from ending.
 */
export async function stopInOrder(parts: Stoppable): Promise<void> {
  parts.server.close();
  await within(TURNS_WITHIN_MS, parts.executor.cancelAll());
  const problems = await Promise.allSettled([
    parts.presence.stop(LAST_BEAT_WITHIN_MS),
    parts.adapter.stop(),
  ]);
  for (const problem of problems) {
    if (problem.status === "rejected") {
      parts.log.warn("a part did not stop cleanly", { error: problem.reason });
    }
  }
  parts.server.closeAllConnections();
}
