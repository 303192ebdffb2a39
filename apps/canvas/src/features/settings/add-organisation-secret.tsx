"use client";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { Input } from "../../ui/field.tsx";
import { Reach } from "./reach.tsx";
import { Problem } from "./secret-item.tsx";
import { useSecretChanges } from "./use-secret-changes.ts";

/** Names that an agent's environment takes. Source: wire contract §10. */
const KEY_PATTERN = /^[A-Z][A-Z0-9_]{0,127}$/;

/** Adds a secret that the organisation does not have yet. */
export function AddOrganisationSecret({ known }: { known: ReadonlySet<string> }) {
  const [isOpen, setIsOpen] = useState(false);
  const [wasOpen, setWasOpen] = useState(false);
  const close = () => {
    setWasOpen(true);
    setIsOpen(false);
  };
  if (isOpen) return <AddForm known={known} onClose={close} />;
  return (
    <Button
      size="sm"
      className="self-start"
      autoFocus={wasOpen}
      icon={<Plus size={13} aria-hidden="true" />}
      onClick={() => setIsOpen(true)}
    >
      Add secret
    </Button>
  );
}

function AddForm({ known, onClose }: { known: ReadonlySet<string>; onClose: () => void }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const { put } = useSecretChanges(onClose);
  const isOdd = key !== "" && !KEY_PATTERN.test(key);
  const isKnown = known.has(key);
  const isReady = key !== "" && !isOdd && !isKnown;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady && value !== "") put.mutate({ key, value });
  };
  return (
    <form className="flex flex-col gap-2 rounded-lg border p-3" onSubmit={submit}>
      <Input
        aria-label="Key"
        autoFocus
        autoComplete="off"
        spellCheck={false}
        placeholder="KEY_NAME"
        className="font-mono"
        aria-invalid={isOdd || isKnown || undefined}
        aria-describedby="add-organisation-secret-note"
        value={key}
        onChange={(event) => setKey(event.target.value.toUpperCase().replaceAll(/[\s-]/g, "_"))}
      />
      <Input
        type="password"
        aria-label="Value"
        autoComplete="new-password"
        placeholder="Value"
        value={value}
        onChange={(event) => setValue(event.target.value)}
      />
      <p
        id="add-organisation-secret-note"
        aria-live="polite"
        className="text-xs text-danger empty:hidden"
      >
        {isKnown
          ? `${key} is listed above; replace its value there.`
          : isOdd
            ? "A key looks like OPENAI_API_KEY: capital letters, digits and underscores."
            : ""}
      </p>
      {isReady && value !== "" ? <Reach id="reach-of-new-secret" name={key} change="set" /> : null}
      <Problem error={put.error} />
      <div className="flex justify-end gap-2">
        <Button size="sm" variant="ghost" onClick={onClose}>
          Cancel
        </Button>
        <Button
          size="sm"
          type="submit"
          variant="primary"
          disabled={!isReady || value === ""}
          isBusy={put.isPending}
        >
          Add
        </Button>
      </div>
    </form>
  );
}
