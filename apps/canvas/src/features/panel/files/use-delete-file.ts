"use client";
import type { FileRoot } from "@molecule/domain/sets";
import { useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { useTRPC, useTRPCClient } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { dropFile, fileKey } from "../drafts/file-draft.ts";
import { useReadMemory, useUpdateMemory } from "../state/panel-provider.tsx";

/**
 * Deletes files so that it can be taken back. Under `/configs` the deletion is staged with the other
 * changes; elsewhere it happens at once and Undo writes the file again. A live file whose content
 * cannot be written back is not deleted from here.
 */
export function useDeleteFile(workspaceId: string, root: FileRoot) {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const update = useUpdateMemory(workspaceId);
  const readMemory = useReadMemory(workspaceId);
  const drop = (path: string) =>
    update((memory) => ({
      ...memory,
      draft: { ...memory.draft, files: dropFile(memory.draft.files, fileKey(root, path)) },
    }));
  const refresh = () =>
    queryClient.invalidateQueries(trpc.files.list.queryFilter({ workspaceId, root }));

  const stage = (path: string, base: { content: string; sha256: string }) => {
    const draft = { root, path, base, content: null, theirs: null };
    update((memory) => ({
      ...memory,
      draft: {
        ...memory.draft,
        files: { ...memory.draft.files, [fileKey(root, path)]: draft },
      },
    }));
  };
  const removeLive = async (path: string, content: string) => {
    await client.files.remove.mutate({ workspaceId, root, path });
    drop(path);
    await refresh();
    const restore = async () => {
      try {
        await client.files.write.mutate({ workspaceId, root, path, content, baseSha256: null });
        await refresh();
      } catch (error) {
        toast.error(`${path} could not be written back`, {
          description: readProblem(error).sentence,
        });
      }
    };
    toast(`Deleted ${path}`, { action: { label: "Undo", onClick: () => void restore() } });
  };
  const remove = async (path: string) => {
    const known = readMemory().draft.files[fileKey(root, path)];
    if (known !== undefined && known.base === null) return drop(path);
    try {
      const file = await client.files.read.query({ workspaceId, root, path });
      if (root === "/configs") return stage(path, file);
      if (file.isBinary) {
        toast.error(`${path} was not deleted`, {
          description:
            "It is not text, so deleting it could not be undone. Ask the agent to do it.",
        });
        return;
      }
      await removeLive(path, file.content);
    } catch (error) {
      const { sentence, next } = readProblem(error);
      toast.error(`${path} was not deleted`, {
        description: next === undefined ? sentence : `${sentence} ${next}`,
      });
    }
  };
  return { remove, undo: drop };
}
