"use client";
import type { GenerationDetail, StateChanges } from "@molecule/contracts/generations";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { ApplyPolicy } from "@molecule/domain/sets";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { toast } from "sonner";
import { useTRPC, useTRPCClient } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { Button } from "../../../ui/button.tsx";
import { Dialog } from "../../../ui/dialog.tsx";
import { Skeleton } from "../../../ui/skeleton.tsx";
import { ChangeView } from "../drafts/change-view.tsx";
import { outcomeText } from "../drafts/staged-save.ts";
import { InlineProblem } from "../inline-problem.tsx";
import { fullTimeText } from "../text/time-text.ts";
import { countChanges, secretReturnText } from "./history-text.ts";

/** One generation: what it changed, what going back to it would change now, and the button for that. */
export function GenerationDialog(props: {
  node: WorkspaceNode;
  /** Null while none is open. */
  gen: number | null;
  onClose: () => void;
}) {
  const { node, gen, onClose } = props;
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(
    trpc.config.generation.queryOptions(
      { workspaceId: node.id, gen: gen ?? 1 },
      { enabled: gen !== null, staleTime: 0 },
    ),
  );
  const detail = query.data?.generation.gen === gen ? query.data : undefined;
  const back = useMutation({
    mutationFn: (apply: ApplyPolicy) =>
      client.config.rollBack.mutate({
        workspaceId: node.id,
        gen: detail?.generation.gen ?? 1,
        savedGen: detail?.savedGen ?? 1,
        apply,
      }),
    onSuccess: (result, apply) => {
      const title = `Rolled back to ${gen}`;
      toast(title, { description: outcomeText(1, apply, result) });
      void queryClient.invalidateQueries(trpc.config.pathFilter());
      onClose();
    },
    onError: () => void query.refetch(),
  });
  const canReturn = detail !== undefined && !detail.rollBack.isEmpty;
  const close = () => {
    back.reset();
    onClose();
  };
  return (
    <Dialog
      open={gen !== null}
      onOpenChange={(isOpen) => (isOpen ? undefined : close())}
      className="max-w-[640px]"
      title={`Generation ${gen ?? ""}`}
      description={detail === undefined ? "What was saved, and the way back." : describe(detail)}
      footer={
        <>
          <Button onClick={close}>Close</Button>
          {canReturn ? (
            <>
              <Button disabled={back.isPending} onClick={() => back.mutate("hold")}>
                Roll back, apply later
              </Button>
              <Button
                variant="primary"
                isBusy={back.isPending}
                onClick={() => back.mutate("settle")}
              >
                Roll back
              </Button>
            </>
          ) : null}
        </>
      }
    >
      {back.error === null ? null : (
        <p role="alert" className="mb-3 text-sm text-danger">
          Not rolled back: {readProblem(back.error).sentence} {readProblem(back.error).next}
        </p>
      )}
      {detail !== undefined ? (
        <GenerationChanges detail={detail} />
      ) : query.isError ? (
        <InlineProblem
          title="This generation could not be loaded."
          problem={readProblem(query.error)}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      ) : (
        <Skeleton className="h-32" />
      )}
    </Dialog>
  );
}

function describe({ generation }: GenerationDetail): string {
  const { actor, at, summary, rolledBackTo } = generation;
  const what = rolledBackTo === null ? summary : `rolled back to ${rolledBackTo}`;
  return `${actor.name}, ${fullTimeText(at)}: ${what}`;
}

function GenerationChanges({ detail }: { detail: GenerationDetail }) {
  const { changes, rollBack, generation } = detail;
  return (
    <div className="flex flex-col gap-6">
      <Part title="What it changed">
        {changes === null ? (
          <p className="text-sm text-muted">
            {generation.gen === 1
              ? "It is the first one: what the agent was created with."
              : "The generation before it is no longer kept."}
          </p>
        ) : (
          <ChangeList
            changes={changes}
            secrets={changes.secrets.map(({ key, change }) => ({
              key,
              note: SECRET_NOTES[change],
            }))}
          />
        )}
      </Part>
      <Part title="What going back to it would change">
        {rollBack.isEmpty && rollBack.secrets.length === 0 ? (
          <p className="text-sm text-muted">Nothing: it is what is saved now.</p>
        ) : (
          <>
            <p className="text-sm text-muted">
              {countChanges(rollBack)}. One restart brings it to the agent.
            </p>
            <ChangeList
              changes={rollBack}
              secrets={rollBack.secrets.map(({ key, outcome }) => ({
                key,
                note: secretReturnText(outcome),
              }))}
            />
          </>
        )}
      </Part>
    </div>
  );
}

const SECRET_NOTES = {
  added: "Was set; values are never shown.",
  changed: "Got another value; values are never shown.",
  removed: "Was removed.",
} as const;

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-3">
      <h3 className="text-sm font-semibold text-ink">{title}</h3>
      {children}
    </section>
  );
}

function ChangeList(props: {
  changes: Pick<StateChanges, "settings" | "files">;
  secrets: readonly { readonly key: string; readonly note: string }[];
}) {
  const { changes, secrets } = props;
  if (changes.settings.length + changes.files.length + secrets.length === 0) {
    return <p className="text-sm text-muted">Nothing that is compared here.</p>;
  }
  return (
    <ul className="flex flex-col gap-4">
      {changes.settings.map(({ name, before, after }) => (
        <li key={`setting:${name}`}>
          <ChangeView kind="setting" label={name} before={before ?? ""} after={after ?? ""} />
        </li>
      ))}
      {changes.files.map(({ path, change, before, after }) => (
        <li key={`file:${path}`}>
          <ChangeView
            kind="file"
            label={path}
            before={before ?? ""}
            after={after ?? ""}
            {...(before === null && after === null ? { note: FILE_NOTES[change] } : {})}
          />
        </li>
      ))}
      {secrets.map(({ key, note }) => (
        <li key={`secret:${key}`}>
          <ChangeView kind="secret" label={key} before="" after="" note={note} />
        </li>
      ))}
    </ul>
  );
}

const FILE_NOTES = {
  added: "Added; its content is not shown.",
  changed: "Changed; its content is not shown.",
  removed: "Removed.",
} as const;
