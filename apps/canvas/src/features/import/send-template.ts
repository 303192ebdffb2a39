/** What the platform answers to an import; an error has a sentence and what to do. */
interface ImportAnswer {
  readonly id?: string;
  readonly error?: string;
  readonly next?: string;
}

/** Keeps a template from an archive, or from texts by path; its id. @throws Error with a sentence. */
export async function sendTemplate(
  what: Blob | { readonly name: string; readonly files: Readonly<Record<string, string>> },
): Promise<string> {
  const isArchive = what instanceof Blob;
  const answer = await fetch("/templates/import", {
    method: "POST",
    headers: { "content-type": isArchive ? "application/octet-stream" : "application/json" },
    body: isArchive ? what : JSON.stringify(what),
  }).catch(() => null);
  if (answer === null) throw new Error("The platform cannot be reached. Try again in a moment.");
  const body: ImportAnswer = await answer.json();
  if (!answer.ok || body.id === undefined) {
    throw new Error([body.error, body.next].filter((part) => part !== undefined).join(" "));
  }
  return body.id;
}
