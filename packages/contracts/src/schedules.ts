import { MAX_CRON_CHARS } from "@molecule/domain/cron";
import { SCHEDULE_CAUSES, SCHEDULE_OUTCOMES, SCHEDULE_SOURCES } from "@molecule/domain/sets";
import { z } from "zod";
import { workspaceIdText } from "./procedures.ts";
import { isoTime } from "./workspaces.ts";

const NO_CONTROLS = /^[^\u0000-\u001f\u007f]*$/;

/** Largest message of a schedule, in characters. */
export const MAX_PROMPT_CHARS = 100_000;
const name = z.string().max(255).regex(NO_CONTROLS, "must be one line");
const cron = z.string().max(MAX_CRON_CHARS);
const zone = z.string().max(64);
const prompt = z.string().max(MAX_PROMPT_CHARS).regex(/\S/, "must say something");

/** Bodies of the plain routes. Source: wire contract §13; an empty text counts as missing (§1). */
export const createScheduleBody = z.object({
  name: name.nullish(),
  cron_expr: cron.min(1),
  timezone: zone.nullish(),
  prompt,
  enabled: z.boolean().nullish(),
});
export const patchScheduleBody = z.object({
  name: name.nullish(),
  cron_expr: cron.min(1).nullish(),
  timezone: zone.nullish(),
  prompt: prompt.nullish(),
  enabled: z.boolean().nullish(),
});
/** `dispatch: false` only looks the prompt up, as the contract's route does. */
export const runScheduleBody = z.object({ dispatch: z.boolean().nullish() });

/** One schedule, as the canvas shows it. */
export const scheduleView = z.object({
  id: z.string(),
  workspaceId: z.string(),
  /** Empty when it was given none. */
  name: z.string(),
  cronExpr: z.string(),
  timezone: z.string(),
  prompt: z.string(),
  enabled: z.boolean(),
  source: z.enum(SCHEDULE_SOURCES),
  /** Null while it is switched off. */
  nextRunAt: isoTime.nullable(),
  lastRunAt: isoTime.nullable(),
  /** Null before the first run has ended. */
  lastStatus: z.enum(SCHEDULE_OUTCOMES).nullable(),
  lastError: z.string().nullable(),
  runCount: z.number().int(),
});
export type ScheduleView = z.infer<typeof scheduleView>;

/** The schedules of a workspace. */
export const scheduleList = z.object({
  schedules: z.array(scheduleView),
  /** The agent's runtime says that it runs schedules itself: the platform fires none. */
  runtimeRunsThem: z.boolean(),
});

/** One run, newest first. */
export const scheduleRunView = z.object({
  id: z.string(),
  cause: z.enum(SCHEDULE_CAUSES),
  dueAt: isoTime,
  startedAt: isoTime,
  durationMs: z.number().nullable(),
  /** Null while its message waits or is answered. */
  outcome: z.enum(SCHEDULE_OUTCOMES).nullable(),
  note: z.string().nullable(),
  missed: z.number().int(),
  actorName: z.string(),
});
export type ScheduleRunView = z.infer<typeof scheduleRunView>;

const wishes = {
  name: name.trim(),
  cronExpr: cron,
  timezone: zone,
  prompt,
  enabled: z.boolean(),
};
export const scheduleRef = z.strictObject({ workspaceId: workspaceIdText, id: workspaceIdText });
export const createScheduleInput = z.strictObject({ workspaceId: workspaceIdText, ...wishes });
export const updateScheduleInput = z.strictObject({
  workspaceId: workspaceIdText,
  id: workspaceIdText,
  name: wishes.name.optional(),
  cronExpr: wishes.cronExpr.optional(),
  timezone: wishes.timezone.optional(),
  prompt: wishes.prompt.optional(),
  enabled: wishes.enabled.optional(),
});
export const previewScheduleInput = z.strictObject({ cronExpr: cron, timezone: zone });
/** When it would run next, at most three times. */
export const schedulePreview = z.object({ runs: z.array(isoTime) });
export const scheduleRunList = z.array(scheduleRunView);
/** The run that was begun, or the one whose message still waits. */
export const startedRun = z.object({ run: scheduleRunView });
