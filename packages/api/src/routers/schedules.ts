import { byWorkspace, doneResult } from "@molecule/contracts/procedures";
import {
  createScheduleInput,
  previewScheduleInput,
  scheduleList,
  schedulePreview,
  scheduleRef,
  scheduleRunList,
  scheduleView,
  startedRun,
  updateScheduleInput,
} from "@molecule/contracts/schedules";
import { actorOf } from "../context.ts";
import {
  changeSchedule,
  createSchedule,
  previewRuns,
  readRuns,
  readSchedules,
  removeSchedule,
} from "../services/schedules/manage-schedules.ts";
import { runSchedule } from "../services/schedules/run-schedule.ts";
import { viewRun, viewSchedule } from "../services/schedules/view-schedule.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Messages that agents get again and again. */
export const schedulesRouter = {
  list: readProcedure
    .input(byWorkspace)
    .output(scheduleList)
    .query(async ({ ctx, input }) => {
      const { schedules, runtimeRunsThem } = await readSchedules(ctx.deps, input.workspaceId);
      return { schedules: schedules.map(viewSchedule), runtimeRunsThem };
    }),
  runs: readProcedure
    .input(scheduleRef)
    .output(scheduleRunList)
    .query(async ({ ctx, input }) => (await readRuns(ctx.deps, input)).runs.map(viewRun)),
  preview: readProcedure
    .input(previewScheduleInput)
    .output(schedulePreview)
    .query(async ({ ctx, input }) => {
      const runs = await previewRuns(ctx.deps, input);
      return { runs: runs.map((at) => at.toISOString()) };
    }),
  create: writeProcedure
    .input(createScheduleInput)
    .output(scheduleView)
    .mutation(async ({ ctx, input: { workspaceId, ...wishes } }) =>
      viewSchedule(await createSchedule(ctx.deps, workspaceId, { ...wishes, source: "runtime" })),
    ),
  update: writeProcedure
    .input(updateScheduleInput)
    .output(scheduleView)
    .mutation(async ({ ctx, input: { workspaceId, id, ...given } }) =>
      viewSchedule(await changeSchedule(ctx.deps, { workspaceId, id }, withoutAbsent(given))),
    ),
  remove: writeProcedure
    .input(scheduleRef)
    .output(doneResult)
    .mutation(async ({ ctx, input }) => {
      await removeSchedule(ctx.deps, input);
      return { done: true as const };
    }),
  run: writeProcedure
    .input(scheduleRef)
    .output(startedRun)
    .mutation(async ({ ctx, input }) => {
      const { run } = await runSchedule(ctx.deps, input, actorOf(ctx.auth));
      return { run: viewRun(run) };
    }),
};

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutAbsent<T extends object>(given: T): Present<T> {
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Present<T>;
}
