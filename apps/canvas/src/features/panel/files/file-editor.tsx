"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { FileRoot } from "@molecule/domain/sets";
import { ArrowLeft, FileWarning, X } from "lucide-react";
import { lazy, Suspense } from "react";
import { readProblem } from "../../../trpc/problem.ts";
import { Button, IconButton } from "../../../ui/button.tsx";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../../ui/state.tsx";
import { FileConflict } from "./file-conflict.tsx";
import { nameOf, sizeText } from "./model/tree.ts";
import { SaveNote } from "./save-note.tsx";
import { type OpenFile, useOpenFile } from "./use-open-file.ts";

const CodeEditor = lazy(async () => {
  const loaded = await import("./code-editor.tsx");
  return { default: loaded.CodeEditor };
});

export interface FileEditorProps {
  node: WorkspaceNode;
  root: FileRoot;
  path: string;
  onClose: () => void;
}

/** One open file: its editor, or a plain sentence why it cannot be edited. */
export function FileEditor({ node, root, path, onClose }: FileEditorProps) {
  const file = useOpenFile(node.id, root, path);
  return (
    <section aria-label={path} className="flex min-h-0 min-w-0 flex-1 flex-col">
      <div className="flex h-10 shrink-0 items-center gap-2 border-b px-2 @xl:pl-4">
        <span className="@xl:hidden">
          <IconButton label="Back to files" size="sm" onClick={onClose}>
            <ArrowLeft size={15} aria-hidden="true" />
          </IconButton>
        </span>
        <span className="min-w-0 truncate font-mono text-xs text-ink" title={path}>
          {path}
        </span>
        {file.isEdited ? (
          <span className="size-1.5 shrink-0 rounded-full bg-warn">
            <span className="sr-only">has unsaved changes</span>
          </span>
        ) : null}
        <span className="flex-1" />
        {file.isEdited ? (
          <>
            <Button size="sm" variant="ghost" disabled={file.isSaving} onClick={file.revert}>
              Revert
            </Button>
            <Button
              size="sm"
              variant="primary"
              title="Ctrl+S"
              isBusy={file.isSaving}
              disabled={file.draft?.theirs != null}
              onClick={file.save}
            >
              Save
            </Button>
          </>
        ) : (
          <SaveNote node={node} root={root} saved={file.saved} />
        )}
        <span className="hidden @xl:inline">
          <IconButton label="Close file" size="sm" onClick={onClose}>
            <X size={15} aria-hidden="true" />
          </IconButton>
        </span>
      </div>
      {file.saveProblem === null ? null : (
        <p role="alert" className="border-b bg-danger-tint px-3 py-2 text-xs text-muted">
          <span className="font-medium text-danger">Not saved.</span> {file.saveProblem.sentence}{" "}
          {file.saveProblem.next} Your edit is kept here.
        </p>
      )}
      <EditorBody file={file} path={path} />
    </section>
  );
}

function EditorBody({ file, path }: { file: OpenFile; path: string }) {
  const { draft, query } = file;
  if (draft !== undefined && draft.theirs !== null && draft.content !== null) {
    return (
      <FileConflict
        theirs={draft.theirs.content}
        mine={draft.content}
        onKeepMine={file.keepMine}
        onTakeTheirs={file.takeTheirs}
      />
    );
  }
  if (draft?.content === null) {
    return (
      <EmptyState
        title={`${nameOf(path)} will be deleted`}
        detail="It goes with the staged changes."
        action={<Button onClick={file.revert}>Keep it</Button>}
      />
    );
  }
  if (draft === undefined && query.isError) {
    const problem = readProblem(query.error);
    const { size, limit } = problem.details;
    return (
      <ErrorState
        title={
          problem.code === "payload_too_large"
            ? "This file is too large to open here"
            : "The file could not be read"
        }
        detail={
          typeof size === "number" && typeof limit === "number"
            ? `It has ${sizeText(size)}; up to ${sizeText(limit)} can be opened.`
            : `${problem.sentence} ${problem.next ?? ""}`
        }
        requestId={problem.requestId}
        {...(problem.code === "payload_too_large"
          ? {}
          : { onRetry: () => void query.refetch(), isRetrying: query.isFetching })}
      />
    );
  }
  if (draft === undefined && query.data?.isBinary === true) {
    return (
      <EmptyState
        icon={<FileWarning size={20} aria-hidden="true" />}
        title="This file is not text"
        detail={`${sizeText(query.data.size)} of binary data. It is left as it is.`}
      />
    );
  }
  if (file.text === null) {
    return (
      <AfterDelay>
        <div className="flex flex-col gap-2 p-4">
          <Skeleton className="h-4 w-3/5" />
          <Skeleton className="h-4 w-2/5" />
          <Skeleton className="h-4 w-4/5" />
        </div>
      </AfterDelay>
    );
  }
  return (
    <Suspense
      fallback={
        <pre className="min-h-0 flex-1 overflow-auto p-3 font-mono text-xs">{file.text}</pre>
      }
    >
      <CodeEditor path={path} text={file.text} onChange={file.edit} onSave={file.save} />
    </Suspense>
  );
}
