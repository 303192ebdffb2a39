"use client";
import type { OrgImportView } from "@molecule/contracts/orgs";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import clsx from "clsx";
import { Play, RotateCw, X } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { toast } from "sonner";
import { useTRPC, useTRPCClient } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { AfterDelay, Skeleton } from "../../ui/skeleton.tsx";
import { ErrorState } from "../../ui/state.tsx";
import { useCanvasHandle } from "../graph/canvas-handle.ts";
import { navigate } from "../location/use-route.ts";
import { useStreamEvents } from "../session/connection.tsx";
import { useNodes } from "../store/node-store.tsx";
import { useUi } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { type ProgressRow, progressRows, startable } from "./model/progress.ts";
import { agents } from "./model/team-text.ts";
import { ProgressList } from "./progress-list.tsx";
import { TeamKeys } from "./team-keys.tsx";

/** How far an import is, beside the canvas on which its agents appear. Its address brings it back. */
export function ImportPanel({ importId, dir }: { importId: string; dir: string | null }) {
  const trpc = useTRPC();
  const actions = useWorkspaceActions();
  const headingId = useId();
  const queryClient = useQueryClient();
  const input = { id: importId };
  const query = useQuery(
    trpc.orgs.readImport.queryOptions(input, {
      staleTime: 0,
      // The page goes here before the platform has begun.
      retry: (count, error) => readProblem(error).code === "not_found" && count < BEGIN_TRIES,
      retryDelay: BEGIN_RETRY_MS,
    }),
  );
  useStreamEvents((events) => {
    const isTold = events.some(
      ({ event, payload }) => event === "ORG_IMPORT_UPDATED" && payload.import_id === importId,
    );
    if (isTold) void queryClient.invalidateQueries(trpc.orgs.readImport.queryFilter(input));
  });
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // The sheet that led here is gone, and with it what had the focus.
    const timer = setTimeout(() => {
      if (document.activeElement === document.body) heading.current?.focus();
    }, FOCUS_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  const problem = query.isError ? readProblem(query.error) : null;
  return (
    <aside aria-labelledby={headingId} className="flex h-full min-h-0 min-w-0 flex-col bg-card">
      <header className="flex items-center gap-2 border-b px-4 py-3">
        <h2
          ref={heading}
          id={headingId}
          tabIndex={-1}
          className="min-w-0 flex-1 truncate text-md font-semibold text-ink"
        >
          {query.data === undefined ? "Importing a team" : query.data.org}
        </h2>
        <IconButton label="Close" size="sm" onClick={() => actions.closePanel()}>
          <X size={16} aria-hidden="true" />
        </IconButton>
      </header>
      {query.data !== undefined ? (
        <Progress view={query.data} dir={dir} />
      ) : problem !== null ? (
        <ErrorState
          title="How far it is could not be loaded"
          detail={`${problem.sentence} ${problem.next ?? ""}`}
          requestId={problem.requestId}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      ) : (
        <AfterDelay>
          <div role="status" className="flex flex-col gap-3 p-4">
            <span className="sr-only">Beginning</span>
            <Skeleton className="h-5" />
            <Skeleton className="h-40" />
          </div>
        </AfterDelay>
      )}
    </aside>
  );
}

const FOCUS_AFTER_MS = 100;
const BEGIN_TRIES = 10;
const BEGIN_RETRY_MS = 500;

function Progress({ view, dir }: { view: OrgImportView; dir: string | null }) {
  const byId = useNodes((state) => state.byId);
  const rows = progressRows(view, byId);
  const canvas = useCanvasHandle();
  const isMade = view.state !== "making" && rows.some(({ node }) => node !== null);
  useEffect(() => {
    // Once, so that the team is in view while it comes up; then the camera is the person's.
    if (isMade) canvas.current?.fitAll();
  }, [isMade, canvas]);
  const problems = rows.filter(({ isProblem }) => isProblem);
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="flex flex-col gap-4 p-4">
        <Summary view={view} rows={rows} />
        <Resting rows={rows} />
        <Again rows={rows} dir={dir} />
        {problems.length === 0 ? null : (
          <ProgressList title={`${agents(problems.length)} to look at`} rows={problems} />
        )}
        <ProgressList title={problems.length === 0 ? "Agents" : "All agents"} rows={rows} isQuiet />
      </div>
    </div>
  );
}

function Summary({ view, rows }: { view: OrgImportView; rows: readonly ProgressRow[] }) {
  const { counts } = view;
  const up = rows.filter(({ node }) => node?.status === "online").length;
  const made = counts.created + counts.exists;
  const share = counts.total === 0 ? 0 : (made + up) / (2 * counts.total);
  return (
    <div className="flex flex-col gap-2">
      <p role="status" className="text-sm text-ink">
        {view.sentence}
      </p>
      {view.state === "done" || view.state === "stopped" ? null : (
        <div
          role="progressbar"
          aria-label="Import"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(share * 100)}
          className="h-1 overflow-hidden rounded-full bg-raised"
        >
          <div
            className="h-full origin-left rounded-full bg-status-provisioning transition-transform duration-[240ms]"
            style={{ transform: `scaleX(${share})` }}
          />
        </div>
      )}
    </div>
  );
}

/** What a paused team lacks, fields for it, and the button that starts it. */
function Resting({ rows }: { rows: readonly ProgressRow[] }) {
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const roots = startable(rows);
  const missing = [...new Set(rows.flatMap((row) => row.missing))].sort();
  const entered = Object.entries(typed).filter(([, value]) => value.trim() !== "");
  const go = useMutation({
    mutationFn: async () => {
      for (const [key, value] of entered) {
        await client.settings.putSecret.mutate({ key, value: value.trim() });
      }
      const isComplete = missing.every((key) => entered.some(([name]) => name === key));
      if (roots.length > 0 && isComplete) {
        for (const { workspaceId } of roots) {
          if (workspaceId !== null) await client.workspaces.resume.mutate({ id: workspaceId });
        }
      }
    },
    onSuccess: () => setTyped({}),
    onSettled: () => {
      void queryClient.invalidateQueries(trpc.orgs.readImport.queryFilter());
      void queryClient.invalidateQueries(trpc.settings.secrets.queryFilter());
      void queryClient.invalidateQueries(trpc.config.secrets.queryFilter());
    },
  });
  if (missing.length === 0 && roots.length === 0) return null;
  const isReady = missing.every((key) => entered.some(([name]) => name === key));
  const canStart = roots.length > 0 && isReady;
  return (
    <form
      className="flex flex-col gap-4 rounded-xl border p-4"
      onSubmit={(event) => {
        event.preventDefault();
        go.mutate();
      }}
    >
      {missing.length === 0 ? (
        <p className="text-sm text-ink">Everything is made and paused.</p>
      ) : (
        <TeamKeys
          title="Keys that are missing"
          note="Kept encrypted for the whole organisation. Who lacks one waits for it."
          needs={missing.map((key) => [key])}
          typed={typed}
          onType={(key, value) => setTyped((before) => ({ ...before, [key]: value }))}
        />
      )}
      {go.error === null ? null : (
        <p role="alert" className="text-xs text-danger">
          {readProblem(go.error).sentence} {readProblem(go.error).next}
        </p>
      )}
      <Button
        type="submit"
        variant="primary"
        size="sm"
        className="self-end"
        isBusy={go.isPending}
        disabled={!canStart && entered.length === 0}
        icon={canStart ? <Play size={13} aria-hidden="true" /> : undefined}
      >
        {canStart ? "Start the team" : "Save keys"}
      </Button>
    </form>
  );
}

/** What was not made is made by importing the same again: what is there is left as it is. */
function Again({ rows, dir }: { rows: readonly ProgressRow[]; dir: string | null }) {
  const team = useUi((state) => state.team);
  const actions = useWorkspaceActions();
  const failed = rows.filter((row) => row.help === "retry");
  const notMade = rows.filter((row) => row.help === "import-again");
  if (failed.length < 2 && notMade.length === 0) return null;
  const again = () => navigate({ kind: "import", importId: null, dir, parentId: null });
  const retryAll = async () => {
    for (const { workspaceId } of failed)
      if (workspaceId !== null) await actions.restart(workspaceId);
  };
  return (
    <div className={clsx("flex flex-col gap-2 rounded-lg bg-danger-tint px-3 py-2 text-xs")}>
      {notMade.length === 0 ? null : (
        <p className="text-muted">
          <span className="font-medium text-danger">{agents(notMade.length)} not made.</span> Import
          the same team again: what is there already is left as it is.
          {dir === null && team === null ? " Choose its folder or archive once more." : null}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        {notMade.length === 0 ? null : (
          <Button size="sm" onClick={again}>
            Import again
          </Button>
        )}
        {failed.length < 2 ? null : (
          <Button
            size="sm"
            icon={<RotateCw size={12} aria-hidden="true" />}
            onClick={() =>
              void retryAll().then(() => toast(`${agents(failed.length)} started again`))
            }
          >
            Try all {failed.length} again
          </Button>
        )}
      </div>
    </div>
  );
}
