"use client";
import { useMutation, useQuery } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useTRPC } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { AfterDelay, Skeleton } from "../../ui/skeleton.tsx";
import { ErrorState } from "../../ui/state.tsx";
import { currentRoute } from "../location/use-route.ts";
import { useNodeStore } from "../store/node-store.tsx";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "./use-workspace-actions.ts";

/** Asks before deleting, with everything that goes along by name. */
export function DeleteDialog() {
  const id = useUi((state) => state.removingId);
  return id === null ? null : <OpenDialog id={id} />;
}

function OpenDialog({ id }: { id: string }) {
  const trpc = useTRPC();
  const ui = useUiStore();
  const nodes = useNodeStore();
  const actions = useWorkspaceActions();
  const name = nodes.getState().byId[id]?.name ?? "this agent";
  const preview = useQuery(
    trpc.workspaces.removalPreview.queryOptions({ id }, { staleTime: 0, gcTime: 0 }),
  );
  const close = () => ui.setState({ removingId: null });
  const remove = useMutation(
    trpc.workspaces.remove.mutationOptions({
      onSuccess: () => {
        const route = currentRoute();
        const gone = [id, ...(preview.data?.children.map((child) => child.id) ?? [])];
        nodes.remove(gone);
        if (route.kind === "workspace" && gone.includes(route.workspaceId)) actions.closePanel();
        close();
      },
      // Somebody added or removed an agent meanwhile: show what it is now.
      onError: () => void preview.refetch(),
    }),
  );
  const count = preview.data?.count ?? 1;
  const confirm = () => remove.mutate({ id, confirmedCount: count });
  return (
    <Dialog
      open
      onOpenChange={close}
      title={count > 1 ? `Delete ${name} and ${count - 1} more?` : `Delete ${name}?`}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            variant="danger"
            isBusy={remove.isPending}
            disabled={!preview.isSuccess}
            onClick={confirm}
          >
            {count > 1 ? `Delete ${count} agents` : "Delete agent"}
          </Button>
        </>
      }
    >
      {remove.isError ? (
        <p
          role="alert"
          className="mb-3 flex gap-2 rounded-md bg-danger-tint px-3 py-2 text-sm text-ink"
        >
          <TriangleAlert size={16} className="mt-0.5 shrink-0 text-danger" aria-hidden="true" />
          {readProblem(remove.error).sentence} {readProblem(remove.error).next}
        </p>
      ) : null}
      <Preview preview={preview} />
    </Dialog>
  );
}

interface PreviewProps {
  preview: {
    data: { children: { id: string; name: string }[]; consequences: string[] } | undefined;
    error: unknown;
    isFetching: boolean;
    refetch: () => unknown;
  };
}

function Preview({ preview }: PreviewProps) {
  const { data, error } = preview;
  if (data === undefined && error !== null) {
    const { sentence, next, requestId } = readProblem(error);
    return (
      <ErrorState
        title={sentence}
        detail={next}
        requestId={requestId}
        isRetrying={preview.isFetching}
        onRetry={() => void preview.refetch()}
      />
    );
  }
  if (data === undefined) {
    return (
      <AfterDelay>
        <div className="flex flex-col gap-2">
          <Skeleton className="h-4 w-4/5" />
          <Skeleton className="h-4 w-3/5" />
        </div>
      </AfterDelay>
    );
  }
  return (
    <div className="flex flex-col gap-3">
      {data.children.length === 0 ? null : (
        <div>
          <p className="mb-1.5 text-sm text-muted">These agents are under it and go too:</p>
          <ul className="max-h-44 overflow-y-auto rounded-md border bg-page px-3 py-1.5">
            {data.children.map((child) => (
              <li key={child.id} className="truncate py-0.5 text-ink">
                {child.name}
              </li>
            ))}
          </ul>
        </div>
      )}
      <ul className="flex list-disc flex-col gap-1 pl-4 text-sm text-muted marker:text-line-strong">
        {data.consequences.map((consequence) => (
          <li key={consequence}>{consequence}</li>
        ))}
      </ul>
    </div>
  );
}
