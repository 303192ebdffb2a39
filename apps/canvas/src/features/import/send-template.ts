/** What the platform answers of a template; an error has a sentence and what to do. */
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
  return await ask("/templates/import", {
    method: "POST",
    headers: { "content-type": isArchive ? "application/octet-stream" : "application/json" },
    body: isArchive ? what : JSON.stringify(what),
  });
}

/** Takes an imported template away; what was made from it stays. @throws Error with a sentence. */
export async function removeTemplate(id: string): Promise<void> {
  await ask(`/templates/${encodeURIComponent(id)}`, { method: "DELETE" });
}

async function ask(path: string, request: RequestInit): Promise<string> {
  const answer = await fetch(path, request).catch(() => null);
  if (answer === null) throw new Error("The platform cannot be reached. Try again in a moment.");
  const body: ImportAnswer = await answer.json();
  if (!answer.ok || body.id === undefined) {
    throw new Error([body.error, body.next].filter((part) => part !== undefined).join(" "));
  }
  return body.id;
}
