"use client";
import type { SecretView } from "@molecule/contracts/panel";
import clsx from "clsx";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { Badge } from "../../../ui/badge.tsx";
import { Button } from "../../../ui/button.tsx";
import { Input } from "../../../ui/field.tsx";

export interface SecretRowProps {
  /** Null for a key that exists in the draft only. */
  secret: SecretView | null;
  /** The agent runs, so that what it has of the secret is of interest. */
  isAgentUp?: boolean;
  name?: string;
  /** Staged value, null for a staged removal, undefined when nothing is staged. */
  staged: string | null | undefined;
  onStage: (value: string | null | undefined) => void;
}

/** One key, its state, and a field to give it a new value. */
export function SecretRow({ secret, isAgentUp, name, staged, onStage }: SecretRowProps) {
  const key = secret?.key ?? name ?? "";
  const [isEditing, setIsEditing] = useState(false);
  const showsField = isEditing || typeof staged === "string";
  return (
    <li className="flex flex-col gap-2 px-3 py-2">
      <div className="flex min-h-7 flex-wrap items-center gap-2">
        <KeyRound size={14} className="shrink-0 text-muted" aria-hidden="true" />
        <span className="min-w-32 flex-1">
          <span className="block truncate font-mono text-xs text-ink" title={key}>
            {key}
          </span>
          {isAgentUp === true && secret !== null ? <Runs of={secret} /> : null}
        </span>
        <SecretState secret={secret} staged={staged} />
        <RowActions
          name={key}
          secret={secret}
          isStaged={staged !== undefined}
          isEditing={isEditing}
          onEdit={setIsEditing}
          onStage={onStage}
        />
      </div>
      {showsField ? (
        <Input
          type="password"
          autoComplete="new-password"
          autoFocus={staged === undefined}
          aria-label={`New value of ${key}`}
          placeholder="Paste the value"
          value={staged ?? ""}
          onChange={(event) => onStage(event.target.value === "" ? undefined : event.target.value)}
        />
      ) : null}
    </li>
  );
}

/** Whether the running agent has its value. */
function Runs({ of: { isRunning, hasValue, mustReenter } }: { of: SecretView }) {
  if (isRunning === null || !hasValue || mustReenter) return null;
  return (
    <span className={clsx("block text-xs", isRunning ? "text-muted" : "text-warn")}>
      {isRunning ? "Running" : "Not running yet: the agent started before this value was set"}
    </span>
  );
}

function RowActions(props: {
  name: string;
  secret: SecretView | null;
  isStaged: boolean;
  isEditing: boolean;
  onEdit: (isEditing: boolean) => void;
  onStage: (value: null | undefined) => void;
}) {
  const { name, secret, isStaged, isEditing, onEdit, onStage } = props;
  if (isStaged || isEditing) {
    const stop = () => {
      onEdit(false);
      if (isStaged) onStage(undefined);
    };
    return (
      <Button size="sm" variant="ghost" aria-label={`Undo ${name}`} onClick={stop}>
        {isStaged ? "Undo" : "Cancel"}
      </Button>
    );
  }
  const isOwn = secret !== null && secret.scope === "workspace" && secret.hasValue;
  const verb = isOwn ? "Replace" : secret?.scope === "global" ? "Override" : "Set";
  return (
    <>
      {isOwn ? (
        <Button
          size="sm"
          variant="ghost"
          aria-label={`Remove ${name}`}
          onClick={() => onStage(null)}
        >
          Remove
        </Button>
      ) : null}
      <Button size="sm" aria-label={`${verb} ${name}`} onClick={() => onEdit(true)}>
        {verb}
      </Button>
    </>
  );
}

function SecretState({
  secret,
  staged,
}: {
  secret: SecretView | null;
  staged: string | null | undefined;
}) {
  if (staged === null) return <Badge tone="warn">will be removed</Badge>;
  if (staged !== undefined) return <Badge tone="info">new value</Badge>;
  if (secret === null) return null;
  if (secret.mustReenter) return <Badge tone="danger">must be entered again</Badge>;
  if (!secret.hasValue) {
    return <Badge tone={secret.isRequired ? "danger" : "neutral"}>missing</Badge>;
  }
  return <Badge>{secret.scope === "global" ? "from organisation" : "set"}</Badge>;
}
