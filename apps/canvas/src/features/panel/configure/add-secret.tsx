"use client";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button } from "../../../ui/button.tsx";
import { Input } from "../../../ui/field.tsx";

/** Names that an agent's environment takes. Source: wire contract §10. */
const KEY_PATTERN = /^[A-Z][A-Z0-9_]{0,127}$/;

/** Stages a key that is not listed yet. */
export function AddSecret(props: {
  known: ReadonlySet<string>;
  onAdd: (key: string, value: string) => void;
}) {
  const { known, onAdd } = props;
  const [isOpen, setIsOpen] = useState(false);
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const isOdd = key !== "" && !KEY_PATTERN.test(key);
  const isKnown = known.has(key);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!KEY_PATTERN.test(key) || isKnown || value === "") return;
    onAdd(key, value);
    setKey("");
    setValue("");
    setIsOpen(false);
  };
  if (!isOpen) {
    return (
      <Button
        size="sm"
        className="self-start"
        icon={<Plus size={13} aria-hidden="true" />}
        onClick={() => setIsOpen(true)}
      >
        Add secret
      </Button>
    );
  }
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
        aria-describedby="add-secret-note"
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
      <p id="add-secret-note" aria-live="polite" className="text-xs text-danger empty:hidden">
        {isKnown
          ? `${key} is listed above; give it a new value there.`
          : isOdd
            ? "A key looks like OPENAI_API_KEY: capital letters, digits and underscores."
            : ""}
      </p>
      <div className="flex justify-end gap-2">
        <Button size="sm" variant="ghost" onClick={() => setIsOpen(false)}>
          Cancel
        </Button>
        <Button size="sm" type="submit" disabled={isOdd || isKnown || key === "" || value === ""}>
          Add
        </Button>
      </div>
    </form>
  );
}
