"use client";
import { NewKeyForm } from "./new-key-form.tsx";
import { Reach } from "./reach.tsx";
import { Problem } from "./secret-item.tsx";
import { useSecretChanges } from "./use-secret-changes.ts";

/** Adds a secret that the organisation does not have yet. */
export function AddOrganisationSecret({ known }: { known: ReadonlySet<string> }) {
  const { put } = useSecretChanges(() => undefined);
  return (
    <NewKeyForm
      known={known}
      knownNote="replace its value there."
      isBusy={put.isPending}
      problem={<Problem error={put.error} />}
      onAdd={(key, value, done) => put.mutate({ key, value }, { onSuccess: done })}
    >
      {(key) => <Reach id="reach-of-new-secret" name={key} change="set" />}
    </NewKeyForm>
  );
}
