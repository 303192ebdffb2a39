"use client";
import type { SecretView } from "@molecule/contracts/panel";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { NewKeyForm } from "../../settings/new-key-form.tsx";
import { InlineProblem } from "../inline-problem.tsx";
import { SecretRow } from "./secret-row.tsx";
import { useSecretDrafts } from "./use-secret-drafts.ts";

/** The keys the agent gets: which are set and which are missing. Values go in and never come out. */
export function SecretsSection({ node }: { node: WorkspaceNode }) {
  const trpc = useTRPC();
  const query = useQuery(trpc.config.secrets.queryOptions({ workspaceId: node.id }));
  return (
    <section aria-labelledby="secrets-heading" className="flex flex-col gap-3 p-4">
      <div>
        <h3 id="secrets-heading" className="text-sm font-medium text-ink">
          Secrets
        </h3>
        <p className="text-xs text-muted">
          Given to the agent as environment variables. Encrypted here; values are never shown again.
        </p>
      </div>
      {query.data !== undefined ? (
        <SecretList
          workspaceId={node.id}
          isAgentUp={node.status === "online" || node.status === "degraded"}
          secrets={query.data}
        />
      ) : query.isError ? (
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
      )}
    </section>
  );
}

function SecretList({
  workspaceId,
  isAgentUp,
  secrets,
}: {
  workspaceId: string;
  isAgentUp: boolean;
  secrets: readonly SecretView[];
}) {
  const { drafts, stage } = useSecretDrafts(workspaceId);
  const known = new Set(secrets.map((secret) => secret.key));
  const added = Object.keys(drafts).filter((key) => !known.has(key));
  return (
    <>
      {secrets.length + added.length === 0 ? (
        <p className="text-sm text-muted">None yet. This agent needs none to start.</p>
      ) : (
        <ul className="divide-y rounded-lg border">
          {secrets.map((secret) => (
            <SecretRow
              key={`${secret.scope}:${secret.key}`}
              secret={secret}
              isAgentUp={isAgentUp}
              staged={drafts[secret.key]}
              onStage={(value) => stage(secret.key, value)}
            />
          ))}
          {added.map((key) => (
            <SecretRow
              key={`new:${key}`}
              secret={null}
              name={key}
              staged={drafts[key]}
              onStage={(value) => stage(key, value)}
            />
          ))}
        </ul>
      )}
      <NewKeyForm
        known={known}
        knownNote="give it a new value there."
        onAdd={(key, value, done) => {
          stage(key, value);
          done();
        }}
      />
    </>
  );
}
