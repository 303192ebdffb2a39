"use client";
import { useMutation } from "@tanstack/react-query";
import { PackagePlus } from "lucide-react";
import { useId } from "react";

/** What the platform answers to an import; an error has a sentence and what to do. */
interface ImportAnswer {
  readonly id?: string;
  readonly error?: string;
  readonly next?: string;
}

/** Takes an archive from the person's disk; tells which template it became. */
export function ImportTemplate({ onImported }: { onImported: (id: string) => void }) {
  const noteId = useId();
  const sending = useMutation({
    mutationFn: sendArchive,
    onSuccess: (id) => onImported(id),
  });
  return (
    <div className="flex flex-col gap-1.5">
      <label className="inline-flex h-8 w-fit cursor-pointer items-center gap-2 rounded-md px-2 text-sm text-muted focus-within:outline-2 focus-within:outline-focus hover:bg-hover hover:text-ink pointer-coarse:h-11">
        <PackagePlus size={15} aria-hidden="true" />
        {sending.isPending ? "Importing…" : "Import a template (.zip, .tar.gz)"}
        <input
          type="file"
          accept=".zip,.gz,.tgz"
          className="sr-only"
          aria-describedby={noteId}
          disabled={sending.isPending}
          onChange={(event) => {
            const [file] = event.target.files ?? [];
            // The same file, corrected, can be chosen again.
            event.target.value = "";
            if (file !== undefined) sending.mutate(file);
          }}
        />
      </label>
      <p
        id={noteId}
        role={sending.error === null ? undefined : "alert"}
        className="text-xs text-danger empty:hidden"
      >
        {sending.error?.message}
      </p>
    </div>
  );
}

async function sendArchive(file: File): Promise<string> {
  const answer = await fetch("/templates/import", {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: file,
  }).catch(() => null);
  if (answer === null) throw new Error("The platform cannot be reached. Try again in a moment.");
  const body: ImportAnswer = await answer.json();
  if (!answer.ok || body.id === undefined) {
    throw new Error([body.error, body.next].filter((part) => part !== undefined).join(" "));
  }
  return body.id;
}
