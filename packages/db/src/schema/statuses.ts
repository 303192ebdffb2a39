import { pgView, uuid } from "drizzle-orm/pg-core";
import { workspaceStatus } from "./enums.ts";

/** The derived status; the view is made by a migration and mirrors `statusOf`. */
export const workspaceStatuses = pgView("workspace_statuses", {
  workspaceId: uuid("workspace_id").notNull(),
  status: workspaceStatus("status").notNull(),
}).existing();
