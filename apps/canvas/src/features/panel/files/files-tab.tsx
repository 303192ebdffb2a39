"use client";
import type { FileRoot } from "@molecule/domain/sets";
import { useNode } from "../../store/node-store.tsx";
import { DraftBar } from "../drafts/draft-bar.tsx";
import { useStagedDraft } from "../drafts/use-staged-draft.ts";
import { usePanelMemory, useUpdateMemory } from "../state/panel-provider.tsx";
import { FileEditor } from "./file-editor.tsx";
import { FileTree } from "./file-tree.tsx";
import { FilesToolbar } from "./files-toolbar.tsx";

/** The files of one agent: a tree, an editor, and the staged changes below. */
export function FilesTab({ workspaceId }: { workspaceId: string }) {
  const node = useNode(workspaceId);
  const root = usePanelMemory(workspaceId, (memory) => memory.fileRoot);
  const openPath = usePanelMemory(
    workspaceId,
    (memory) => memory.openFile[memory.fileRoot] ?? null,
  );
  const update = useUpdateMemory(workspaceId);
  const staged = useStagedDraft(workspaceId);
  if (node === undefined) return null;
  const open = (path: string | null) =>
    update((memory) => {
      const { [memory.fileRoot]: _open, ...rest } = memory.openFile;
      return {
        ...memory,
        openFile: path === null ? rest : { ...rest, [memory.fileRoot]: path },
      };
    });
  // One edited file has Save right above it; the bar is for what goes together.
  const isOnlyOpenFile =
    staged.changes.length === 1 &&
    root === "/configs" &&
    staged.changes[0]?.key === `file:${openPath}`;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="@container flex min-h-0 flex-1 flex-col">
        <FilesToolbar
          node={node}
          root={root}
          onRoot={(fileRoot: FileRoot) => update((memory) => ({ ...memory, fileRoot }))}
          onOpen={open}
        />
        <div className="flex min-h-0 flex-1">
          <div
            className={
              openPath === null
                ? "min-h-0 flex-1"
                : "hidden min-h-0 w-56 shrink-0 border-r @xl:block"
            }
          >
            <FileTree node={node} root={root} openPath={openPath} onOpen={open} />
          </div>
          {openPath === null ? null : (
            <FileEditor
              key={`${root}/${openPath}`}
              node={node}
              root={root}
              path={openPath}
              onClose={() => open(null)}
            />
          )}
        </div>
      </div>
      {isOnlyOpenFile ? null : <DraftBar workspaceId={workspaceId} staged={staged} />}
    </div>
  );
}
