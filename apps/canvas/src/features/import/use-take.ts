"use client";
import { useState } from "react";
import { toast } from "sonner";
import { navigate } from "../location/use-route.ts";
import { useUiStore } from "../store/ui-store.tsx";
import { archiveKind } from "./model/archive-kind.ts";
import { isArchiveName, NEITHER, type PickedFile, recogniseFolder } from "./model/picked-files.ts";
import type { TeamSource } from "./model/team-source.ts";
import type { Taken } from "./read-dropped.ts";
import { sendTemplate } from "./send-template.ts";

/**
 * Takes what a person dropped or chose: a team opens its preview, a template is kept and opens the sheet
 * of a new agent. What is neither is refused with a sentence.
 */
export function useTake(options: { readonly onTemplate?: (id: string) => void } = {}) {
  const ui = useUiStore();
  const [isTaking, setIsTaking] = useState(false);
  const preview = (team: TeamSource) => {
    ui.setState({ team });
    navigate({ kind: "import", importId: null, dir: null, parentId: null });
  };
  const keep = async (label: string, what: Parameters<typeof sendTemplate>[0]) => {
    const id = await sendTemplate(what);
    toast.success(`The template “${id}” is there`, { description: `Imported from ${label}.` });
    if (options.onTemplate !== undefined) options.onTemplate(id);
    else navigate({ kind: "new", templateId: id, parentId: null, prompt: null });
  };
  const takeOne = async (taken: Taken) => {
    const { label } = taken;
    const id = crypto.randomUUID();
    if (taken.kind === "refused") throw new Error(taken.sentence);
    if (taken.kind === "file") {
      if (!isArchiveName(label)) {
        throw new Error("Drop a folder, or an archive of one (.zip, .tar.gz).");
      }
      const bytes = new Uint8Array(await taken.file.arrayBuffer());
      const kind = await archiveKind(bytes);
      if (kind === "team") return preview({ kind: "archive", id, label, archive: taken.file });
      // What the names do not tell, the platform says when it has read it.
      return await keep(label, taken.file);
    }
    const folder = recogniseFolder(taken.files);
    if (folder.kind === "neither") throw new Error(NEITHER);
    if (folder.kind === "team") {
      return preview({ kind: "files", id, label, files: await contentsOf(folder.files) });
    }
    return await keep(label, { name: label, files: await textsOf(folder.files) });
  };
  const take = async (taken: Taken | null): Promise<void> => {
    if (taken === null) return;
    setIsTaking(true);
    try {
      await takeOne(taken);
    } catch (error) {
      const description = error instanceof Error ? error.message : "It could not be read.";
      toast.error(`“${taken.label}” was not imported`, { description, duration: 12_000 });
    } finally {
      setIsTaking(false);
    }
  };
  return { take, isTaking };
}

async function contentsOf(files: readonly PickedFile<File>[]) {
  const read = await Promise.all(
    files.map(async ({ path, file }) => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      return [path, textOf(bytes) ?? { base64: base64Of(bytes) }] as const;
    }),
  );
  return Object.fromEntries(read);
}

async function textsOf(files: readonly PickedFile<File>[]): Promise<Record<string, string>> {
  const read = await Promise.all(
    files
      .filter(({ path }) => !path.endsWith(".env"))
      .map(async ({ path, file }) => {
        const text = textOf(new Uint8Array(await file.arrayBuffer()));
        if (text === null) throw new Error(`${path} is not text. Import the folder as an archive.`);
        return [path, text] as const;
      }),
  );
  return Object.fromEntries(read);
}

/** Null for what is not text. */
function textOf(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
