import { a2aRoutes } from "./a2a-routes.ts";
import { activityRoutes } from "./activity-routes.ts";
import { approvalRoutes } from "./approval-routes.ts";
import { chatFileRoutes } from "./chat-file-routes.ts";
import { configRoutes } from "./config-routes.ts";
import { delegationRoutes } from "./delegation-routes.ts";
import { fileRoutes } from "./file-routes.ts";
import { instructionRoutes } from "./instruction-routes.ts";
import { memoryRoutes } from "./memory-routes.ts";
import { pluginRoutes } from "./plugin-routes.ts";
import type { Limiter } from "./rate-limit.ts";
import { registryRoutes } from "./registry-routes.ts";
import { remoteAgentRoutes } from "./remote-agent-routes.ts";
import type { Route } from "./router.ts";
import { scheduleRoutes } from "./schedule-routes.ts";
import { tokenRoutes } from "./token-routes.ts";

/** The routes agents and their scripts use. */
export function agentRoutes(notifies: Limiter): readonly Route[] {
  return [
    ...registryRoutes,
    ...a2aRoutes,
    ...activityRoutes(notifies),
    ...tokenRoutes,
    ...fileRoutes,
    ...chatFileRoutes,
    ...configRoutes,
    ...delegationRoutes,
    ...scheduleRoutes,
    ...memoryRoutes,
    ...remoteAgentRoutes,
    ...pluginRoutes,
    ...instructionRoutes,
    ...approvalRoutes,
  ];
}
