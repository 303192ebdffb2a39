"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { isPlatformFile, parseRelativePath } from "@molecule/domain/paths";
import type { FileRoot } from "@molecule/domain/sets";
import clsx from "clsx";
import { FilePlus2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button, IconButton } from "../../../ui/button.tsx";
import { Input } from "../../../ui/field.tsx";
import { editFile } from "../drafts/file-draft.ts";
import { useUpdateMemory } from "../state/panel-provider.tsx";
import { folderOf } from "./model/tree.ts";

/** The roots that are shown, with what a save there means. */
const ROOTS: readonly { root: FileRoot; title: string; note: string }[] = [
  {
    root: "/configs",
    title: "Configuration",
    note: "Kept by the platform. A save reaches the agent with its next restart.",
  },
  {
    root: "/workspace",
    title: "Workspace",
    note: "The agent's own work. Read and written live; nothing restarts.",
  },
  { root: "/home", title: "Home", note: "The agent's home folder. Read and written live." },
];

/** Chooses the root and makes new files. */
export function FilesToolbar(props: {
  node: WorkspaceNode;
  root: FileRoot;
  onRoot: (root: FileRoot) => void;
  onOpen: (path: string) => void;
}) {
  const { node, root, onRoot, onOpen } = props;
  const [isNaming, setIsNaming] = useState(false);
  const chosen = ROOTS.find((each) => each.root === root);
  return (
    <div className="border-b px-4 pt-2 pb-2">
      <div className="flex items-center gap-2">
        <div
          role="radiogroup"
          aria-label="Folder"
          className="flex gap-0.5 rounded-lg bg-raised p-0.5"
        >
          {ROOTS.map((each) => (
            <label
              key={each.root}
              className={clsx(
                "relative inline-flex h-7 items-center rounded-md px-2.5 text-xs transition-colors duration-[120ms] has-focus-visible:outline-2 has-focus-visible:outline-focus pointer-coarse:h-9",
                each.root === root
                  ? "bg-card font-medium text-ink shadow-card"
                  : "text-muted hover:text-ink",
              )}
            >
              <input
                type="radio"
                name={`root-${node.id}`}
                className="absolute inset-0 opacity-0"
                checked={each.root === root}
                onChange={() => onRoot(each.root)}
              />
              {each.title}
            </label>
          ))}
        </div>
        <span className="flex-1" />
        <IconButton label="New file" size="sm" onClick={() => setIsNaming(true)}>
          <FilePlus2 size={15} aria-hidden="true" />
        </IconButton>
      </div>
      {isNaming ? (
        <NewFile
          workspaceId={node.id}
          root={root}
          onDone={(path) => {
            setIsNaming(false);
            if (path !== null) onOpen(path);
          }}
        />
      ) : (
        <p className="pt-1.5 text-xs text-muted">
          <span className="font-mono">{root}</span> · {chosen?.note}
        </p>
      )}
    </div>
  );
}

function NewFile(props: {
  workspaceId: string;
  root: FileRoot;
  onDone: (path: string | null) => void;
}) {
  const { workspaceId, root, onDone } = props;
  const update = useUpdateMemory(workspaceId);
  const [path, setPath] = useState("");
  const problem = path === "" ? null : pathProblem(root, path);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (path === "" || problem !== null) return;
    const clean = parseRelativePath(path);
    update((memory) => ({
      ...memory,
      openFolders: {
        ...memory.openFolders,
        [root]: [...new Set([...(memory.openFolders[root] ?? []), ...parentsOf(clean)])],
      },
      draft: {
        ...memory.draft,
        files: editFile(memory.draft.files, {
          root,
          path: clean,
          base: null,
          content: "",
          theirs: null,
        }),
      },
    }));
    onDone(clean);
  };
  return (
    <form className="flex items-start gap-2 pt-2" onSubmit={submit}>
      <div className="min-w-0 flex-1">
        <Input
          aria-label="Path of the new file"
          autoFocus
          spellCheck={false}
          placeholder="notes/plan.md"
          className="font-mono"
          value={path}
          aria-invalid={problem !== null || undefined}
          onChange={(event) => setPath(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.stopPropagation();
            onDone(null);
          }}
        />
        {problem === null ? null : (
          <p role="alert" className="pt-1 text-xs text-danger">
            {problem}
          </p>
        )}
      </div>
      <Button type="submit" disabled={path === "" || problem !== null}>
        Create
      </Button>
      <Button variant="ghost" onClick={() => onDone(null)}>
        Cancel
      </Button>
    </form>
  );
}

function pathProblem(root: FileRoot, path: string): string | null {
  try {
    const clean = parseRelativePath(path);
    return isPlatformFile(root, clean) ? "Dot files here belong to the platform." : null;
  } catch (error) {
    return error instanceof Error ? error.message : "This path cannot be used.";
  }
}

/** `a` and `a/b` for `a/b/c.md`. */
function parentsOf(path: string): string[] {
  const folder = folderOf(path);
  return folder === "" ? [] : [...parentsOf(folder), folder];
}
