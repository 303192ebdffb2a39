"use client";
import type { SecretView } from "@molecule/contracts/panel";
import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../../../trpc/client.tsx";
import { Badge } from "../../../ui/badge.tsx";
import { Field, Input } from "../../../ui/field.tsx";
import { useSecretDrafts } from "./use-secret-drafts.ts";

/** The keys that provider and model need: which are there, and a field for each that is not. */
export function PairKeys(props: { workspaceId: string; needs: readonly (readonly string[])[] }) {
  const { workspaceId, needs } = props;
  const trpc = useTRPC();
  // Its own part of the tab says so when this fails; here is then nothing that could be wrong.
  const secrets = useQuery(trpc.config.secrets.queryOptions({ workspaceId })).data;
  if (secrets === undefined || needs.length === 0) return null;
  return (
    <ul aria-label="Keys of this model" className="flex flex-col gap-2">
      {needs.map((need) => (
        <li key={need.join()}>
          <KeyNeed workspaceId={workspaceId} need={need} secrets={secrets} />
        </li>
      ))}
    </ul>
  );
}

function KeyNeed(props: {
  workspaceId: string;
  need: readonly string[];
  secrets: readonly SecretView[];
}) {
  const { workspaceId, need, secrets } = props;
  const { drafts, stage } = useSecretDrafts(workspaceId);
  const usable = secrets.find(
    ({ key, hasValue, mustReenter }) =>
      need.includes(key) && hasValue && !mustReenter && drafts[key] !== null,
  );
  if (usable !== undefined) {
    return (
      <p className="flex min-h-5 items-center justify-between gap-2">
        <code className="truncate font-mono text-xs text-ink">{usable.key}</code>
        <Badge>{usable.scope === "global" ? "from organisation" : "set"}</Badge>
      </p>
    );
  }
  const isEntered = need.some((key) => typeof drafts[key] === "string");
  const fields = need.map((key) => (
    <Field
      key={key}
      label={<code className="font-mono text-xs break-all">{key}</code>}
      aside={
        isEntered ? <Badge tone="info">new value</Badge> : <Badge tone="danger">missing</Badge>
      }
    >
      {(ids) => (
        <Input
          {...ids}
          type="password"
          autoComplete="new-password"
          placeholder="Paste the value"
          value={drafts[key] ?? ""}
          onChange={(event) => stage(key, event.target.value || undefined)}
        />
      )}
    </Field>
  ));
  if (need.length === 1) return fields;
  return (
    <fieldset className="flex flex-col gap-3 rounded-md border p-3">
      <legend className="px-1 text-xs text-muted">One of these is enough</legend>
      {fields}
    </fieldset>
  );
}
