"use client";
import type { ScheduleView } from "@molecule/contracts/schedules";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { useTRPC } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { useStreamEvents } from "../../session/connection.tsx";
import { titleOf } from "./model/schedule-text.ts";

const TELLING = new Set<string>(["SCHEDULE_UPDATED", "CRON_EXECUTED", "CRON_SKIPPED"]);

/** The schedules of an agent, kept current by the event stream. Nothing is asked for while not shown. */
export function useSchedules(workspaceId: string, { isShown = true } = {}) {
  const trpc = useTRPC();
  const refresh = useRefreshSchedules(workspaceId);
  useStreamEvents((events) => {
    const isTold = events.some(
      ({ event, workspace_id }) => workspace_id === workspaceId && TELLING.has(event),
    );
    if (isTold) refresh();
  });
  return useQuery(trpc.schedules.list.queryOptions({ workspaceId }, { enabled: isShown }));
}

/** Asks again for what is shown of the agent's schedules. */
export function useRefreshSchedules(workspaceId: string): () => void {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return () => {
    // A refresh that fails is shown by whoever reads the query.
    void queryClient.invalidateQueries(trpc.schedules.list.queryFilter({ workspaceId }));
    void queryClient.invalidateQueries(trpc.schedules.runs.queryFilter());
  };
}

/** Everything a person does to one schedule; each takes effect at once and nothing restarts. */
export function useScheduleActions(schedule: ScheduleView, agentName: string) {
  const trpc = useTRPC();
  const onSettled = useRefreshSchedules(schedule.workspaceId);
  const title = titleOf(schedule);
  const failed = (what: string) => (error: unknown) => {
    const { sentence, next } = readProblem(error);
    toast.error(what, { description: next === undefined ? sentence : `${sentence} ${next}` });
  };
  const toggle = useMutation(
    trpc.schedules.update.mutationOptions({
      onSettled,
      onError: failed(`“${title}” was not changed`),
    }),
  );
  const run = useMutation(
    trpc.schedules.run.mutationOptions({
      onSettled,
      onSuccess: () =>
        toast(`“${title}” was sent to ${agentName}`, {
          description: "The answer comes in the chat, and the run is listed here.",
        }),
      onError: failed(`“${title}” could not be run`),
    }),
  );
  const remove = useMutation(
    trpc.schedules.remove.mutationOptions({
      onSettled,
      onError: failed(`“${title}” was not deleted`),
    }),
  );
  return { toggle, run, remove };
}
