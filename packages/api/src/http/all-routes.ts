import { agentRoutes } from "./agent-routes.ts";
import { eventRoutes, type StreamParts } from "./event-routes.ts";
import { fleetRoutes } from "./fleet-routes.ts";
import { operationsRoutes } from "./operations-routes.ts";
import { platformRoutes } from "./platform-routes.ts";
import type { Route } from "./router.ts";
import { signInRoutes } from "./sign-in-routes.ts";
import { sweepRoutes } from "./sweep-routes.ts";
import { workspaceRoutes } from "./workspace-routes.ts";

/** Every plain HTTP route of the platform with its guard, for one process; a test walks it. */
export function allRoutes(stream: StreamParts): readonly Route[] {
  return [
    ...platformRoutes,
    ...operationsRoutes,
    ...sweepRoutes,
    ...eventRoutes(stream),
    ...signInRoutes(),
    ...workspaceRoutes,
    ...fleetRoutes,
    ...agentRoutes(),
  ];
}
