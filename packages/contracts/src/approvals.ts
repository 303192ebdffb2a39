import { z } from "zod";
import { workspaceIdText } from "./procedures.ts";
import { isoTime } from "./workspaces.ts";

/** Body of `POST /workspaces/:id/approvals`. Source: wire contract §20. */
export const createApprovalBody = z.object({
  action: z.string().min(1).max(1_000).regex(/\S/, "must say something"),
  reason: z.string().max(10_000).nullish(),
  task_id: z.string().max(512).nullish(),
  context: z.unknown().optional(),
});

/** Body of `POST /workspaces/:id/approvals/:aid/decide`. */
export const decideApprovalBody = z.object({
  decision: z.enum(["approved", "denied"]),
  decided_by: z.string().max(255).nullish(),
});

/** A request that waits for a person, as the canvas shows it. */
export const approvalView = z.object({
  id: z.string(),
  workspaceId: z.string(),
  workspaceName: z.string(),
  action: z.string(),
  /** Empty when none was given. */
  reason: z.string(),
  /** JSON for a person, null without any. */
  context: z.string().nullable(),
  createdAt: isoTime,
  /** Denied by itself from then on. */
  expiresAt: isoTime,
});
export type ApprovalView = z.infer<typeof approvalView>;

export const approvalList = z.array(approvalView);
export const decideApprovalInput = z.strictObject({
  workspaceId: workspaceIdText,
  id: workspaceIdText,
  decision: z.enum(["approved", "denied"]),
});
