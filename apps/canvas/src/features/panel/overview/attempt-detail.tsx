"use client";
import type { AttemptOpened } from "@molecule/contracts/ledger";
import type { AttemptView, WorkspaceNode } from "@molecule/contracts/workspaces";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useId } from "react";
import { useTRPCClient } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { useOrganisation } from "../../store/node-store.tsx";
import { InlineProblem } from "../inline-problem.tsx";
import { ledgerKey } from "../state/query-keys.ts";
import { fullTimeText } from "../text/time-text.ts";
import { AttemptPhases } from "./attempt-phases.tsx";
import { Copyable } from "./copyable.tsx";
import { type CarriedRow, carriedRows } from "./model/attempts.ts";
import { instanceText } from "./model/instance-text.ts";
import { RestartRequests } from "./restart-requests.tsx";

/**
 * Everything the ledger knows of an attempt. What came with the row is there at once and moves with it;
 * the instance, the requests and the last output are asked for when the row is opened.
 */
export function AttemptDetail({ node, attempt }: { node: WorkspaceNode; attempt: AttemptView }) {
  const client = useTRPCClient();
  const reader = useOrganisation()?.member.name ?? null;
  const query = useQuery({
    queryKey: [...ledgerKey(node.id), "attempt", attempt.no],
    queryFn: ({ signal }) =>
      client.workspaces.attempt.query({ id: node.id, no: attempt.no }, { signal }),
  });
  const opened = query.data;
  const { detail, failure, actor } = attempt;
  return (
    <div className="flex flex-col gap-4 pt-1 pb-4 pl-[22px] text-xs">
      {failure === null ? null : (
        <p className="rounded-md bg-danger-tint px-2.5 py-1.5 text-muted [overflow-wrap:anywhere]">
          <span className="font-medium text-danger">{failure.sentence}</span> {failure.next}
        </p>
      )}
      {failure === null ? null : <LastOutput opened={opened} />}
      <AttemptPhases attempt={attempt} />
      {detail.merged.length === 0 ? null : (
        <Part title="Carried">
          {carriedRows(detail.merged, reader).map((row) => (
            <Carried key={row.kind} row={row} />
          ))}
        </Part>
      )}
      {detail.interrupted === undefined || detail.interrupted.length === 0 ? null : (
        <Part title="Broke off">
          {detail.interrupted.map(({ title, from }) => (
            <p key={`${title}/${from}`} className="text-muted [overflow-wrap:anywhere]">
              <span className="text-ink">{title}</span> from {from}
            </p>
          ))}
        </Part>
      )}
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-1.5">
        <Fact name="Caused by">{actor.name === reader ? "you" : actor.name}</Fact>
        <Fact name="Began">{fullTimeText(attempt.createdAt)}</Fact>
        {opened === undefined ? null : <Instance node={node} opened={opened} />}
      </dl>
      {opened === undefined || opened.requests.length === 0 ? null : (
        <Part title="Also asked meanwhile">
          <RestartRequests rows={opened.requests} />
        </Part>
      )}
      {failure === null ? <LastOutput opened={opened} /> : null}
      {query.isPending ? (
        <AfterDelay>
          <Skeleton className="h-12" />
        </AfterDelay>
      ) : null}
      {query.isError ? (
        <InlineProblem
          title="The rest could not be loaded."
          problem={readProblem(query.error)}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      ) : null}
    </div>
  );
}

function Instance({ node, opened }: { node: WorkspaceNode; opened: AttemptOpened }) {
  const { providerRef, generation } = opened;
  const instance = providerRef === null ? null : instanceText(node.backend, providerRef);
  return (
    <>
      <Fact name={instance?.name ?? "Instance"}>
        {instance === null ? (
          <span className="text-muted">
            {opened.outcome === null ? "none yet" : "none was made"}
          </span>
        ) : (
          <Copyable
            text={instance.shown}
            copied={instance.copied}
            label={`Copy the id of the ${instance.name.toLowerCase()}`}
          />
        )}
      </Fact>
      {generation === null ? null : <Fact name="Content">generation {generation}</Fact>}
    </>
  );
}

/** The end of what the instance printed; nothing where nothing was kept. */
function LastOutput({ opened }: { opened: AttemptOpened | undefined }) {
  if (opened === undefined || opened.logExcerpt === null) return null;
  return (
    <Part title="Last output">
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key
        tabIndex={0}
        ref={showEnd}
        className="max-h-52 overflow-auto rounded-lg border bg-page px-3 py-2 font-mono text-xs leading-[18px] whitespace-pre-wrap text-ink select-text [overflow-wrap:anywhere]"
      >
        {opened.logExcerpt}
      </pre>
    </Part>
  );
}

/** What went wrong is in the last lines. */
function showEnd(element: HTMLElement | null): void {
  element?.scrollTo({ top: element.scrollHeight });
}

function Carried({ row }: { row: CarriedRow }) {
  return (
    <div className="flex flex-col gap-1">
      <p className="text-ink">
        {row.title}
        {row.by === "" ? null : <span className="text-muted"> by {row.by}</span>}
      </p>
      <ul aria-label={row.title} className="flex flex-wrap gap-1">
        {row.names.map((name) => (
          <li
            key={name}
            title={name}
            className="max-w-full truncate rounded bg-raised px-1.5 font-mono leading-5 text-ink"
          >
            {name}
          </li>
        ))}
        {row.moreCount === 0 ? null : (
          <li className="leading-5 text-muted">and {row.moreCount} more</li>
        )}
      </ul>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="flex flex-col gap-1.5">
      <h4 id={id} className="font-medium text-muted">
        {title}
      </h4>
      {children}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 text-ink [overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}
