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

/** Cache key of everything the ledger says of a workspace: attempts, requests, the day's statuses. */
export const ledgerKey = (workspaceId: string) => ["panel", "ledger", workspaceId] as const;

/** The part of the list's input that makes a facet. */
type FacetFilter = { types?: ActivityType[]; onlyFailed?: true };

/** What a facet asks the list for. */
export function facetFilter(facet: ActivityFacet): FacetFilter {
  switch (facet) {
    case "all":
      return {};
    case "messages":
      return { types: ["a2a_send", "a2a_receive", "delegation"] };
    case "tasks":
      return {
        types: [
          "task_update",
          "agent_log",
          "cron_run",
          "skill_promotion",
          "memory_write",
          "memory_write_global",
        ],
      };
    case "lifecycle":
      return { types: ["lifecycle", "change"] };
    case "errors":
      return { onlyFailed: true };
  }
}
