"use client";
import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { AfterDelay, Skeleton } from "../../ui/skeleton.tsx";
import { InlineProblem } from "../panel/inline-problem.tsx";
import { useOrganisation } from "../store/node-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { AddOrganisationSecret } from "./add-organisation-secret.tsx";
import { SecretItem } from "./secret-item.tsx";

/** Settings of the organisation: its secrets. Values go in and never come out. */
export function SettingsSheet() {
  const actions = useWorkspaceActions();
  return (
    <Dialog
      open
      kind="sheet"
      onOpenChange={() => actions.closePanel()}
      title="Organisation secrets"
      description="Given to every agent as environment variables, except to one with a secret of the same name of its own. Encrypted here; values are never shown again."
      footer={<Button onClick={() => actions.closePanel()}>Close</Button>}
    >
      <Secrets />
    </Dialog>
  );
}

function Secrets() {
  const trpc = useTRPC();
  // Counts change with every agent, so an open sheet begins with fresh ones.
  const query = useQuery(trpc.settings.secrets.queryOptions(undefined, { staleTime: 0 }));
  const mayEdit = useOrganisation()?.member.role !== "viewer";
  if (query.data === undefined) {
    return query.isError ? (
      <InlineProblem
        title="The secrets could not be loaded."
        problem={readProblem(query.error)}
        onRetry={() => void query.refetch()}
        isRetrying={query.isFetching}
      />
    ) : (
      <AfterDelay>
        <Skeleton className="h-16" />
      </AfterDelay>
    );
  }
  const known = new Set(query.data.map(({ key }) => key));
  return (
    <div className="flex flex-col gap-3">
      {query.data.length === 0 ? (
        <p className="text-sm text-muted">
          None yet. A key that several agents need is entered once here.
        </p>
      ) : (
        <ul className="divide-y rounded-lg border" aria-label="Secrets of the organisation">
          {query.data.map((secret) => (
            <SecretItem key={secret.key} secret={secret} mayEdit={mayEdit} />
          ))}
        </ul>
      )}
      {mayEdit ? <AddOrganisationSecret known={known} /> : null}
    </div>
  );
}
