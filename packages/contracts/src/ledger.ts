import {
  RESTART_OUTCOMES,
  RESTART_SOURCES,
  STAGES,
  WORKSPACE_STATUSES,
} from "@molecule/domain/sets";
import { z } from "zod";
import { workspaceIdText } from "./procedures.ts";
import { actorSchema, attemptView, isoTime } from "./workspaces.ts";

/** What asked for a restart, and what came of it when that was no attempt of its own. */
export const restartRequestView = z.object({
  id: z.number().int(),
  source: z.enum(RESTART_SOURCES),
  outcome: z.enum(RESTART_OUTCOMES),
  /** The attempt it went into, or that was current when it came; null before the first. */
  attemptNo: z.number().int().nullable(),
  actor: actorSchema,
  /** For a person: what was asked and why nothing of its own came of it. */
  sentence: z.string(),
  /** Requests of the same source, outcome, attempt and actor are one row. */
  count: z.number().int(),
  firstAt: isoTime,
  lastAt: isoTime,
});
export type RestartRequestView = z.infer<typeof restartRequestView>;

export const restartRequestsInput = z.strictObject({
  id: workspaceIdText,
  /** Rows with a smaller id only. */
  before: z.number().int().optional(),
  limit: z.number().int().min(1).max(100).default(20),
});
/** Newest first; requests that began an attempt are that attempt and not among them. */
export const restartRequestList = z.array(restartRequestView);

export const attemptInput = z.strictObject({
  id: workspaceIdText,
  no: z.number().int().min(1),
});
/** One stage of an attempt with the time it took. */
export const attemptPhase = z.object({
  stage: z.enum(STAGES),
  startedAt: isoTime,
  /** Null while the stage runs. */
  endedAt: isoTime.nullable(),
  /** Null while the stage runs. */
  ms: z.number().int().nullable(),
  /** The latest line of what it did, where it told one. */
  progress: z.string().nullable(),
});
export type AttemptPhase = z.infer<typeof attemptPhase>;
/** Everything the ledger knows of one attempt. */
export const attemptOpened = attemptView.extend({
  phases: z.array(attemptPhase),
  /** From its beginning until it was ready or ended; null while it is open. */
  totalMs: z.number().int().nullable(),
  /** The backend's own name of the instance; null before there was one. */
  providerRef: z.string().nullable(),
  /** The generation it started with; null before its snapshot. */
  generation: z.number().int().nullable(),
  /** Last lines the instance printed, without secrets; null where none were kept. */
  logExcerpt: z.string().nullable(),
  /** What else asked for a restart while it was current, newest first, at most 20. */
  requests: z.array(restartRequestView),
});
export type AttemptOpened = z.infer<typeof attemptOpened>;

export const statusHistoryInput = z.strictObject({
  id: workspaceIdText,
  /** How far back; the log keeps seven days. */
  hours: z.number().int().min(1).max(168).default(24),
});
/** A time in one status. */
export const statusSpan = z.object({
  /** Null where the log does not reach back. */
  status: z.enum(WORKSPACE_STATUSES).nullable(),
  from: isoTime,
  to: isoTime,
});
export type StatusSpan = z.infer<typeof statusSpan>;
export const statusHistory = z.object({
  from: isoTime,
  /** The platform's clock now. */
  to: isoTime,
  /** Oldest first, without gaps, neighbours differ; the last one is the present status. */
  spans: z.array(statusSpan),
});
export type StatusHistory = z.infer<typeof statusHistory>;
