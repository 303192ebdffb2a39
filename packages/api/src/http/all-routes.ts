import { agentRoutes } from "./agent-routes.ts";
import { bootRoutes } from "./boot-routes.ts";
import { eventRoutes, type StreamParts } from "./event-routes.ts";
import { fleetRoutes } from "./fleet-routes.ts";
import { operationsRoutes } from "./operations-routes.ts";
import { orgRoutes } from "./org-routes.ts";
import { platformRoutes } from "./platform-routes.ts";
import type { Limiter } from "./rate-limit.ts";
import type { Route } from "./router.ts";
import { signInRoutes } from "./sign-in-routes.ts";
import { sweepRoutes } from "./sweep-routes.ts";
import { templateRoutes } from "./template-routes.ts";
import { terminalRoutes } from "./terminal-routes.ts";
import { workspaceRoutes } from "./workspace-routes.ts";

/** What the routes of one process hang on. */
export interface RouteParts extends StreamParts {
  /** How often an agent may write to its person. */
  readonly notifies: Limiter;
}

/** Every plain HTTP route of the platform with its guard; a test walks it. */
export function allRoutes(parts: RouteParts): readonly Route[] {
  return [
    ...platformRoutes,
    ...operationsRoutes,
    ...sweepRoutes,
    ...terminalRoutes,
    ...eventRoutes(parts),
    ...signInRoutes,
    ...workspaceRoutes,
    ...templateRoutes,
    ...orgRoutes,
    ...fleetRoutes,
    ...agentRoutes(parts.notifies),
    ...bootRoutes,
  ];
}
