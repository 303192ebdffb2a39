"use client";
import type { FileContent } from "@molecule/contracts/panel";
import type { FileRoot } from "@molecule/domain/sets";
import { type UseQueryResult, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";
import { useTRPC, useTRPCClient } from "../../../trpc/client.tsx";
import { type ReadProblem, readProblem } from "../../../trpc/problem.ts";
import {
  dropFile,
  editFile,
  type FileDraft,
  type FileDrafts,
  fileKey,
  keepMyFile,
  markConflict,
  settleSavedFile,
} from "../drafts/file-draft.ts";
import { usePanelMemory, useReadMemory, useUpdateMemory } from "../state/panel-provider.tsx";

/** What the last save of this file did. */
export interface SavedFile {
  readonly willRestart: boolean;
}

export interface OpenFile {
  readonly query: UseQueryResult<FileContent, unknown>;
  readonly draft: FileDraft | undefined;
  /** What the editor shows; null while nothing is loaded and nothing is drafted. */
  readonly text: string | null;
  readonly isEdited: boolean;
  readonly isSaving: boolean;
  readonly saveProblem: ReadProblem | null;
  readonly saved: SavedFile | null;
  readonly edit: (content: string) => void;
  readonly revert: () => void;
  readonly save: () => void;
  readonly keepMine: () => void;
  readonly takeTheirs: () => void;
}

/** One open file with its draft. What is typed survives tabs and reload until it is saved or reverted. */
export function useOpenFile(workspaceId: string, root: FileRoot, path: string): OpenFile {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const key = fileKey(root, path);
  const draft = usePanelMemory(workspaceId, (memory) => memory.draft.files[key]);
  const update = useUpdateMemory(workspaceId);
  const readMemory = useReadMemory(workspaceId);
  const target = { workspaceId, root, path };
  const isNew = draft !== undefined && draft.base === null;
  const query = useQuery(
    trpc.files.read.queryOptions(target, {
      enabled: !isNew,
      staleTime: root === "/configs" ? Number.POSITIVE_INFINITY : 0,
      retry: false,
    }),
  );
  const setFiles = (change: (files: FileDrafts) => FileDrafts) =>
    update((memory) => ({
      ...memory,
      draft: { ...memory.draft, files: change(memory.draft.files) },
    }));

  const save = useMutation({
    mutationFn: async (content: string) => {
      const baseSha256 = readMemory().draft.files[key]?.base?.sha256 ?? null;
      const result = await client.files.write.mutate({ ...target, content, baseSha256 });
      return { content, ...result };
    },
    onSuccess: ({ content, sha256 }) => {
      queryClient.setQueryData(trpc.files.read.queryKey(target), {
        root,
        path,
        content,
        sha256,
        size: new TextEncoder().encode(content).length,
        isBinary: false,
      });
      setFiles((files) => settleSavedFile(files, key, { content, sha256 }));
      return queryClient.invalidateQueries(trpc.files.list.queryFilter({ workspaceId, root }));
    },
    onError: async (error) => {
      if (readProblem(error).code !== "version_conflict") return;
      const stored = await client.files.read.query(target).catch(() => null);
      if (stored !== null) setFiles((files) => markConflict(files, key, stored));
    },
  });

  // Somebody else's save is shown as a conflict when it is seen, not when ours is refused.
  const stored = query.data;
  const noticeChange = useEffectEvent((file: FileContent) => {
    const mine = readMemory().draft.files[key];
    if (mine === undefined || mine.base === null || mine.content === null || save.isPending) return;
    if (mine.base.sha256 !== file.sha256) setFiles((files) => markConflict(files, key, file));
  });
  useEffect(() => {
    if (stored !== undefined) noticeChange(stored);
  }, [stored]);

  const edit = (content: string) => {
    const base =
      draft === undefined && stored !== undefined
        ? { content: stored.content, sha256: stored.sha256 }
        : (draft?.base ?? null);
    setFiles((files) => editFile(files, { root, path, base, content, theirs: null }));
  };
  const saveProblem = save.error === null ? null : readProblem(save.error);
  return {
    query,
    draft,
    text: draft === undefined ? (stored?.content ?? null) : draft.content,
    isEdited: draft !== undefined,
    isSaving: save.isPending,
    saveProblem:
      saveProblem?.code === "version_conflict" || draft === undefined ? null : saveProblem,
    saved: save.data === undefined ? null : { willRestart: save.data.willRestart },
    edit,
    revert: () => {
      save.reset();
      setFiles((files) => dropFile(files, key));
    },
    save: () => {
      const mine = readMemory().draft.files[key];
      if (mine === undefined || mine.content === null || mine.theirs !== null) return;
      if (!save.isPending) save.mutate(mine.content);
    },
    keepMine: () => {
      save.reset();
      setFiles((files) => keepMyFile(files, key));
    },
    takeTheirs: () => {
      save.reset();
      setFiles((files) => dropFile(files, key));
      void query.refetch();
    },
  };
}
