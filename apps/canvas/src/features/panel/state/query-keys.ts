import type { ActivityType } from "@molecule/domain/sets";
import type { ActivityFacet } from "./panel-state.ts";

/** Messages per page of the chat; also what a refresh of the newest page asks for. */
export const CHAT_PAGE = 20;
/** Rows per page of the timeline. */
export const ACTIVITY_PAGE = 40;

/** Cache key of a workspace's chat. */
export const chatKey = (workspaceId: string) => ["panel", "chat", workspaceId] as const;
/** Cache key of one facet of a workspace's timeline. */
export const activityKey = (workspaceId: string, facet: ActivityFacet) =>
  ["panel", "activity", workspaceId, facet] as const;

const FACETS: Readonly<Record<ActivityFacet, readonly ActivityType[] | undefined>> = {
  all: undefined,
  messages: ["a2a_send", "a2a_receive", "delegation"],
  tasks: [
    "task_update",
    "agent_log",
    "cron_run",
    "skill_promotion",
    "memory_write",
    "memory_write_global",
  ],
  lifecycle: ["lifecycle", "change"],
  errors: ["error"],
};

/** The activity types of a facet; undefined means every type. */
export function facetTypes(facet: ActivityFacet): readonly ActivityType[] | undefined {
  return FACETS[facet];
}
