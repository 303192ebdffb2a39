import { a2aRoutes } from "./a2a-routes.ts";
import { activityRoutes } from "./activity-routes.ts";
import { chatFileRoutes } from "./chat-file-routes.ts";
import { configRoutes } from "./config-routes.ts";
import { delegationRoutes } from "./delegation-routes.ts";
import { fileRoutes } from "./file-routes.ts";
import { registryRoutes } from "./registry-routes.ts";
import type { Route } from "./router.ts";
import { scheduleRoutes } from "./schedule-routes.ts";
import { tokenRoutes } from "./token-routes.ts";

/** The routes agents and their scripts use, for one process. */
export function agentRoutes(): readonly Route[] {
  return [
    ...registryRoutes,
    ...a2aRoutes,
    ...activityRoutes(),
    ...tokenRoutes,
    ...fileRoutes,
    ...chatFileRoutes,
    ...configRoutes,
    ...delegationRoutes,
    ...scheduleRoutes,
  ];
}
