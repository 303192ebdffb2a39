"use client";
import type { OrgTemplateView } from "@molecule/contracts/orgs";
import { useQuery } from "@tanstack/react-query";
import { ChevronRight, Network, TriangleAlert } from "lucide-react";
import { useTRPC } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { AfterDelay, Skeleton } from "../../ui/skeleton.tsx";
import { Ago } from "../clock/moving-time.tsx";
import { navigate } from "../location/use-route.ts";
import { InlineProblem } from "../panel/inline-problem.tsx";
import { ChooseFiles } from "./choose-files.tsx";
import { agents } from "./model/team-text.ts";
import { useTake } from "./use-take.ts";

/** Which team: one of the operator's, or a folder or archive of the person. */
export function ChooseTeam({ parentId }: { parentId: string | null }) {
  const { take, isTaking } = useTake();
  return (
    <div className="flex flex-col gap-6">
      <section className="flex flex-col gap-3 rounded-xl border border-dashed border-line-strong p-4">
        <p className="text-sm text-ink">
          Drop a folder or an archive anywhere on this page, or choose one.
        </p>
        <ChooseFiles isBusy={isTaking} onTaken={(taken) => void take(taken)} />
        <p className="text-xs text-muted">
          A team has a file org.yaml at its top, also one that was exported here.
        </p>
      </section>
      <Teams parentId={parentId} />
      <RecentImports />
    </div>
  );
}

function Teams({ parentId }: { parentId: string | null }) {
  const trpc = useTRPC();
  const query = useQuery(trpc.orgs.list.queryOptions(undefined, { refetchOnMount: "always" }));
  return (
    <section className="flex flex-col gap-2">
      <h3 className="text-sm font-medium text-ink">Teams of this platform</h3>
      {query.data === undefined ? (
        query.isError ? (
          <InlineProblem
            title="The teams could not be loaded."
            problem={readProblem(query.error)}
            onRetry={() => void query.refetch()}
            isRetrying={query.isFetching}
          />
        ) : (
          <AfterDelay>
            <Skeleton className="h-24" />
          </AfterDelay>
        )
      ) : query.data.length === 0 ? (
        <p className="text-sm text-muted">
          None. A folder with an org.yaml among the platform's teams appears here.
        </p>
      ) : (
        <ul aria-label="Teams" className="divide-y rounded-lg border">
          {query.data.map((team) => (
            <li key={team.dir}>
              {team.broken === null ? (
                <TeamRow team={team} parentId={parentId} />
              ) : (
                <BrokenRow dir={team.dir} cause={team.broken} />
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function TeamRow({ team, parentId }: { team: OrgTemplateView; parentId: string | null }) {
  return (
    <button
      type="button"
      className="flex min-h-11 w-full items-center gap-3 px-3 py-2 text-left hover:bg-hover"
      onClick={() => navigate({ kind: "import", importId: null, dir: team.dir, parentId })}
    >
      <Network size={16} className="shrink-0 text-muted" aria-hidden="true" />
      <span className="min-w-0 flex-1">
        <span className="block truncate text-sm font-medium text-ink">{team.name}</span>
        <span className="line-clamp-2 text-xs text-muted">{team.description}</span>
      </span>
      <span className="shrink-0 text-xs text-muted">{agents(team.workspaces)}</span>
      <ChevronRight size={14} className="shrink-0 text-muted" aria-hidden="true" />
    </button>
  );
}

function BrokenRow({ dir, cause }: { dir: string; cause: string }) {
  return (
    <p className="flex gap-2 px-3 py-2 text-xs">
      <TriangleAlert size={14} className="mt-px shrink-0 text-warn" aria-hidden="true" />
      <span className="min-w-0 break-words">
        <span className="font-semibold text-ink">{dir}</span>{" "}
        <span className="text-muted">cannot be used: {cause}</span>
      </span>
    </p>
  );
}

const SHOWN_IMPORTS = 5;

/** The way back to how far an import is. */
function RecentImports() {
  const trpc = useTRPC();
  const query = useQuery(
    trpc.orgs.listImports.queryOptions(undefined, { refetchOnMount: "always" }),
  );
  const rows = query.data?.slice(0, SHOWN_IMPORTS) ?? [];
  if (rows.length === 0) return null;
  return (
    <section className="flex flex-col gap-2">
      <h3 className="text-sm font-medium text-ink">Imported lately</h3>
      <ul aria-label="Imports" className="divide-y rounded-lg border">
        {rows.map((row) => (
          <li key={row.id}>
            <button
              type="button"
              className="flex min-h-11 w-full items-center gap-3 px-3 py-2 text-left hover:bg-hover"
              onClick={() =>
                navigate({ kind: "import", importId: row.id, dir: null, parentId: null })
              }
            >
              <span className="min-w-0 flex-1">
                <span className="block truncate text-sm text-ink">{row.org}</span>
                <span className="block truncate text-xs text-muted">{row.sentence}</span>
              </span>
              <span className="shrink-0 text-xs text-muted">
                <Ago atMs={Date.parse(row.createdAt)} />
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
