"use client";
import type { SecretDrafts } from "../drafts/staged-save.ts";
import { usePanelMemory, useUpdateMemory } from "../state/panel-provider.tsx";

/** The staged secrets of a workspace, and how one is staged: a value, null to remove it, undefined to undo. */
export function useSecretDrafts(workspaceId: string) {
  const drafts = usePanelMemory(workspaceId, (memory) => memory.draft.secrets);
  const update = useUpdateMemory(workspaceId);
  const stage = (key: string, value: string | null | undefined) =>
    update((memory) => ({
      ...memory,
      draft: { ...memory.draft, secrets: withSecret(memory.draft.secrets, key, value) },
    }));
  return { drafts, stage };
}

function withSecret(
  drafts: SecretDrafts,
  key: string,
  value: string | null | undefined,
): SecretDrafts {
  const { [key]: _before, ...rest } = drafts;
  return value === undefined ? rest : { ...rest, [key]: value };
}
