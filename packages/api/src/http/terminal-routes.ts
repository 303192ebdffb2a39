import { findPlace } from "@molecule/db/lifecycle/find-place";
import { removedError } from "@molecule/db/lifecycle/lock-workspace";
import { findRemoved } from "@molecule/db/workspaces/find-removed";
import { DomainError } from "@molecule/domain/errors";
import type { Deps } from "../deps.ts";
import { diagnoseTerminal } from "../services/terminal/diagnose-terminal.ts";
import { requireTerminal } from "../services/terminal/permit.ts";
import type { Guard } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** Who is there is asked before anything is looked up. */
const TERMINAL: Guard = { kind: "workspace", removedIs: "handled" };

/**
 * Terminal and its diagnosis. Source: wire contract §15. The terminal itself is an upgrade, which
 * `TerminalSockets` takes; as a plain request it is refused by the same rule.
 */
export const terminalRoutes: readonly Route[] = [
  route("GET", "/workspaces/:id/terminal", TERMINAL, async (context) => {
    await permit(context);
    throw new DomainError("bad_request", "A terminal is a WebSocket.", {
      next: "Open this address with a WebSocket client.",
    });
  }),
  route("GET", "/workspaces/:id/terminal/diagnose", TERMINAL, async (context) => {
    const { deps, workspaceId } = context;
    await permit(context);
    return ok(await diagnoseTerminal(deps, workspaceId));
  }),
];

async function permit({ deps, auth, workspaceId, req }: RequestContext): Promise<void> {
  // A removed workspace's own token is told that it is gone: the guard lets it through for that alone.
  if (auth.kind !== "anonymous") requireTerminal(auth, workspaceId, req.headers);
  await refuseRemoved(deps, workspaceId);
  if (auth.kind === "anonymous") {
    throw new DomainError("unauthenticated", "This needs a valid token or a signed-in session.");
  }
}

async function refuseRemoved(deps: Deps, workspaceId: string): Promise<void> {
  const place = await findPlace(deps.db, workspaceId);
  if (place?.intent !== "deleted") return;
  const removed = await findRemoved(deps.db, workspaceId);
  throw removedError(workspaceId, removed?.removedAt ?? null);
}
