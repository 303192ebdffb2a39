"use client";
import type { OrganisationSecret } from "@molecule/contracts/organisation-secrets";
import { KeyRound } from "lucide-react";
import { type FormEvent, useState } from "react";
import { readProblem } from "../../trpc/problem.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Input } from "../../ui/field.tsx";
import { Ago } from "../clock/moving-time.tsx";
import { Reach } from "./reach.tsx";
import { useSecretChanges } from "./use-secret-changes.ts";

/** One secret of the organisation: how far it reaches, a field for another value, and its removal. */
export function SecretItem({ secret, mayEdit }: { secret: OrganisationSecret; mayEdit: boolean }) {
  const [open, setOpen] = useState<"replace" | "delete" | null>(null);
  // Focus goes back to the button that opened what was closed.
  const [last, setLast] = useState<"replace" | "delete" | null>(null);
  const close = () => {
    setLast(open);
    setOpen(null);
  };
  const { key } = secret;
  return (
    <li className="flex flex-col gap-2 px-3 py-2.5">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <KeyRound size={14} className="shrink-0 text-muted" aria-hidden="true" />
        <div className="min-w-40 flex-1">
          <p className="truncate font-mono text-xs text-ink" title={key}>
            {key}
          </p>
          <p className="text-xs text-muted">
            {usage(secret)} · changed <Ago atMs={Date.parse(secret.updatedAt)} />
          </p>
        </div>
        {secret.mustReenter ? (
          <Badge tone="danger">must be entered again</Badge>
        ) : (
          <Badge>set</Badge>
        )}
        {mayEdit && open === null ? (
          <span className="ml-auto flex gap-1">
            <Button
              size="sm"
              variant="ghost"
              autoFocus={last === "delete"}
              aria-label={`Delete ${key}`}
              onClick={() => setOpen("delete")}
            >
              Delete
            </Button>
            <Button
              size="sm"
              autoFocus={last === "replace"}
              aria-label={`Replace ${key}`}
              onClick={() => setOpen("replace")}
            >
              Replace
            </Button>
          </span>
        ) : null}
      </div>
      {open === "replace" ? <ReplaceForm name={key} onClose={close} /> : null}
      {open === "delete" ? <DeleteForm name={key} onClose={close} /> : null}
    </li>
  );
}

function usage({ usedBy, overriddenBy }: OrganisationSecret): string {
  const used =
    usedBy === 0
      ? "used by no agent"
      : usedBy === 1
        ? "used by 1 agent"
        : `used by ${usedBy} agents`;
  return overriddenBy === 0 ? used : `${used}, overridden by ${overriddenBy}`;
}

function ReplaceForm({ name, onClose }: { name: string; onClose: () => void }) {
  const [value, setValue] = useState("");
  const { put } = useSecretChanges(onClose);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (value !== "") put.mutate({ key: name, value });
  };
  return (
    <form className="flex flex-col gap-2" onSubmit={submit}>
      <Input
        type="password"
        autoComplete="new-password"
        autoFocus
        aria-label={`New value of ${name}`}
        aria-describedby={`reach-${name}`}
        placeholder="Paste the value"
        value={value}
        onChange={(event) => setValue(event.target.value)}
      />
      <Reach id={`reach-${name}`} name={name} change="set" />
      <Problem error={put.error} />
      <div className="flex justify-end gap-2">
        <Button size="sm" variant="ghost" onClick={onClose}>
          Cancel
        </Button>
        <Button
          size="sm"
          type="submit"
          variant="primary"
          disabled={value === ""}
          isBusy={put.isPending}
        >
          Save
        </Button>
      </div>
    </form>
  );
}

function DeleteForm({ name, onClose }: { name: string; onClose: () => void }) {
  const { remove } = useSecretChanges(onClose);
  return (
    <fieldset className="flex flex-col gap-2" aria-label={`Delete ${name}`}>
      <p className="text-sm text-ink">Delete {name} for the whole organisation?</p>
      <Reach id={`reach-${name}`} name={name} change="remove" />
      <Problem error={remove.error} />
      <div className="flex justify-end gap-2">
        <Button size="sm" autoFocus onClick={onClose}>
          Keep it
        </Button>
        <Button
          size="sm"
          variant="danger"
          isBusy={remove.isPending}
          aria-describedby={`reach-${name}`}
          onClick={() => remove.mutate({ key: name })}
        >
          Delete
        </Button>
      </div>
    </fieldset>
  );
}

/** Why a change was not made; nothing of it was. */
export function Problem({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  const { sentence, next } = readProblem(error);
  return (
    <p role="alert" className="text-xs text-danger">
      {sentence} {next}
    </p>
  );
}
