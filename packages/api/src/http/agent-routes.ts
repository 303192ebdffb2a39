import { a2aRoutes } from "./a2a-routes.ts";
import { configRoutes } from "./config-routes.ts";
import { fileRoutes } from "./file-routes.ts";
import { registryRoutes } from "./registry-routes.ts";
import type { Route } from "./router.ts";
import { tokenRoutes } from "./token-routes.ts";

/** The routes agents and their scripts use: registry, messages, activity, files, configuration. */
export const agentRoutes: readonly Route[] = [
  ...registryRoutes,
  ...a2aRoutes,
  ...tokenRoutes,
  ...fileRoutes,
  ...configRoutes,
];
