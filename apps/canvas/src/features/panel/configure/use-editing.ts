"use client";
import type { ConfigDocument } from "@molecule/contracts/panel";
import {
  type ConfigField,
  type ConfigFields,
  editField,
  shownValue,
} from "../drafts/config-draft.ts";
import { usePanelMemory, useUpdateMemory } from "../state/panel-provider.tsx";

/** One field of the form: what it shows, and how an edit is staged. */
export interface Editing<F extends ConfigField> {
  readonly value: ConfigFields[F];
  readonly set: (value: ConfigFields[F]) => void;
}

/** Reads and stages one field over a loaded document. */
export function useEditing(workspaceId: string, document: ConfigDocument) {
  const draft = usePanelMemory(workspaceId, (memory) => memory.draft.config);
  const update = useUpdateMemory(workspaceId);
  return <F extends ConfigField>(field: F): Editing<F> => ({
    value: shownValue(draft, document.desired, field),
    set: (value) =>
      update((memory) => ({
        ...memory,
        draft: {
          ...memory.draft,
          config: editField(memory.draft.config, document.desired, { field, value }),
        },
      })),
  });
}
