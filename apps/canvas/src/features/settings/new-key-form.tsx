"use client";
import { Plus } from "lucide-react";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { Input } from "../../ui/field.tsx";

/** Names that an agent's environment takes. Source: wire contract §10. */
const KEY_PATTERN = /^[A-Z][A-Z0-9_]{0,127}$/;

export interface NewKeyFormProps {
  /** Keys that are listed already; those get another value where they stand. */
  known: ReadonlySet<string>;
  /** What to do with one that is listed above. */
  knownNote: string;
  /** Takes key and value; calls `done` once the form may close. */
  onAdd: (key: string, value: string, done: () => void) => void;
  isBusy?: boolean;
  /** Shown under the fields once both are right. */
  children?: (key: string) => ReactNode;
  /** Why the last one was not taken. */
  problem?: ReactNode;
}

/** A button that becomes a form for a key that is not listed yet. */
export function NewKeyForm(props: NewKeyFormProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [wasOpen, setWasOpen] = useState(false);
  const close = () => {
    setWasOpen(true);
    setIsOpen(false);
  };
  if (isOpen) return <Fields {...props} onClose={close} />;
  return (
    <Button
      size="sm"
      className="self-start"
      // Focus goes back to where the form came from.
      autoFocus={wasOpen}
      icon={<Plus size={13} aria-hidden="true" />}
      onClick={() => setIsOpen(true)}
    >
      Add secret
    </Button>
  );
}

function Fields(props: NewKeyFormProps & { onClose: () => void }) {
  const { known, knownNote, onAdd, onClose, isBusy = false, children, problem } = props;
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const noteId = useId();
  const isOdd = key !== "" && !KEY_PATTERN.test(key);
  const isKnown = known.has(key);
  const isReady = key !== "" && !isOdd && !isKnown && value !== "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) onAdd(key, value, onClose);
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
        aria-describedby={noteId}
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
      <p id={noteId} aria-live="polite" className="text-xs text-danger empty:hidden">
        {isKnown
          ? `${key} is listed above; ${knownNote}`
          : isOdd
            ? "A key looks like OPENAI_API_KEY: capital letters, digits and underscores."
            : ""}
      </p>
      {isReady ? children?.(key) : null}
      {problem}
      <div className="flex justify-end gap-2">
        <Button size="sm" variant="ghost" onClick={onClose}>
          Cancel
        </Button>
        <Button size="sm" type="submit" variant="primary" disabled={!isReady} isBusy={isBusy}>
          Add
        </Button>
      </div>
    </form>
  );
}
