import type { Route } from "./router.ts";

/** Every plain HTTP route of the platform, with its guard; a test walks it. */
export const allRoutes: readonly Route[] = [];
