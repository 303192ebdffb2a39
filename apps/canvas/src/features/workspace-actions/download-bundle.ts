import type { Client } from "../../trpc/client.tsx";

/** Has the browser keep a tree as a file; answers how many agents are in it. */
export async function downloadBundle(
  client: Client,
  rootId: string | null,
): Promise<{ readonly workspaces: number }> {
  const { fileName, contentBase64, workspaces } = await client.orgs.exportBundle.query({ rootId });
  const bytes = Uint8Array.from(atob(contentBase64), (char) => char.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/gzip" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return { workspaces };
}
