"use client";
import type { SaveResult } from "@molecule/contracts/panel";
import type { ApplyPolicy } from "@molecule/domain/sets";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Client, useTRPC, useTRPCClient } from "../../../trpc/client.tsx";
import { type ReadProblem, readProblem } from "../../../trpc/problem.ts";
import { useConnection } from "../../session/connection.tsx";
import { useNode } from "../../store/node-store.tsx";
import { usePanelMemory, useReadMemory, useUpdateMemory } from "../state/panel-provider.tsx";
import { FRESH_MEMORY, type PanelMemory } from "../state/panel-state.ts";
import { FIELDS_WITHOUT_RESTART } from "./config-draft.ts";
import { type FileDraft, fileKey, markConflict, settleSavedFile } from "./file-draft.ts";
import { withoutSent } from "./plugin-draft.ts";
import {
  type StagedChange,
  type StagedDraft,
  savedDocument,
  saveInputOf,
  stagedChanges,
} from "./staged-save.ts";

/** What the last save did, for the bar. */
export type SaveOutcome =
  | {
      readonly kind: "saved";
      readonly count: number;
      /** Null where nothing of it is what the agent is started with. */
      readonly apply: ApplyPolicy | null;
      readonly result: SaveResult;
    }
  | { readonly kind: "unchanged" };

export interface Staged {
  readonly changes: readonly StagedChange[];
  readonly hasConflict: boolean;
  /** A setting is edited but what is saved cannot be compared with, because it did not load. */
  readonly isBlind: boolean;
  readonly isSaving: boolean;
  readonly problem: ReadProblem | null;
  readonly outcome: SaveOutcome | null;
  /** One of the changes is part of what the agent is started with, and it is started by us. */
  readonly needsRestart: boolean;
  /** How this agent's changes are applied unless a person says otherwise for once. */
  readonly usual: ApplyPolicy;
  /** Saves all of it; absent: in the usual way. */
  readonly apply: (how?: ApplyPolicy) => void;
  readonly discard: () => void;
  readonly dismissOutcome: () => void;
}

/** The staged draft of a workspace: settings, managed files and secrets, applied by one request. */
export function useStagedDraft(workspaceId: string): Staged {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const draft = usePanelMemory(workspaceId, (memory) => memory.draft);
  const readMemory = useReadMemory(workspaceId);
  const update = useUpdateMemory(workspaceId);
  const connection = useConnection();
  const node = useNode(workspaceId);
  const isLive = connection.kind === "ready" && connection.stream.kind === "live";
  const [outcome, setOutcome] = useState<SaveOutcome | null>(null);
  const hasSettings = Object.keys(draft.config.mine).length > 0;
  const hasPlugins = Object.keys(draft.plugins).length > 0;
  const document = useQuery(
    trpc.config.document.queryOptions({ workspaceId }, { enabled: hasSettings || hasPlugins }),
  ).data;
  const changes = stagedChanges(draft, document);

  const save = useMutation({
    mutationFn: async (apply: ApplyPolicy | null) => {
      const sent = readMemory().draft;
      const input = saveInputOf(workspaceId, sent, document, apply ?? undefined);
      return input === null ? null : { sent, result: await client.config.save.mutate(input) };
    },
    onSuccess: async (done, apply) => {
      if (done === null || !done.result.changed) setOutcome({ kind: "unchanged" });
      else setOutcome({ kind: "saved", count: changes.length, apply, result: done.result });
      if (done !== null) {
        // The form shows what was saved before it is read again.
        queryClient.setQueryData(trpc.config.document.queryKey({ workspaceId }), (before) =>
          before === undefined ? before : savedDocument(before, done.sent, done.result.version),
        );
        await settleDraft(client, workspaceId, { sent: done.sent, update, readMemory });
      }
      // A live stream says what is stale by itself.
      if (!isLive) await refreshParts();
    },
    onError: async (error) => {
      setOutcome(null);
      const problem = readProblem(error);
      if (problem.code !== "version_conflict") return;
      await showFileConflict(client, workspaceId, { problem, update });
      await refreshParts();
    },
  });
  const refreshParts = () =>
    Promise.all([
      queryClient.invalidateQueries(trpc.config.pathFilter()),
      queryClient.invalidateQueries(trpc.files.pathFilter()),
    ]);

  const needsRestart =
    node?.backend !== "external" &&
    changes.some(({ key }) => !FIELDS_WITHOUT_RESTART.some((field) => key === `setting:${field}`));
  const usual = draft.config.mine.applyPolicy ?? node?.applyPolicy ?? "settle";
  return {
    changes,
    hasConflict: changes.some((change) => change.isConflict),
    isBlind: hasSettings && document === undefined,
    isSaving: save.isPending,
    problem: save.error === null ? null : readProblem(save.error),
    outcome,
    needsRestart,
    usual,
    apply: (how = usual) => save.mutate(needsRestart ? how : null),
    discard: () => {
      save.reset();
      setOutcome(null);
      update(withoutStaged);
    },
    dismissOutcome: () => setOutcome(null),
  };
}

type Update = ReturnType<typeof useUpdateMemory>;

/** Drops what was saved; what was typed during the save stays, on top of what is stored now. */
export async function settleDraft(
  client: Client,
  workspaceId: string,
  saved: { sent: StagedDraft; update: Update; readMemory: () => PanelMemory },
): Promise<void> {
  const { sent, update, readMemory } = saved;
  const files = Object.values(sent.files).filter((file) => file.root === "/configs");
  update((memory) => {
    let { files: left } = memory.draft;
    for (const file of files) {
      if (left[fileKey(file.root, file.path)]?.content !== file.content) continue;
      left = settleSavedFile(left, fileKey(file.root, file.path), {
        content: file.content ?? "",
        sha256: "",
      });
    }
    return {
      ...memory,
      draft: {
        config: withoutSaved(memory.draft.config, sent.config.mine),
        files: left,
        plugins: withoutSent(memory.draft.plugins, sent.plugins),
        secrets: Object.fromEntries(
          Object.entries(memory.draft.secrets).filter(
            ([key, value]) => !(key in sent.secrets) || sent.secrets[key] !== value,
          ),
        ),
      },
    };
  });
  const isLeft = (file: FileDraft) => fileKey(file.root, file.path) in readMemory().draft.files;
  for (const file of files.filter(isLeft)) {
    const key = fileKey(file.root, file.path);
    const stored = await readStored(client, workspaceId, file.path);
    if (stored !== null) update(withFiles((drafts) => settleSavedFile(drafts, key, stored)));
  }
}

function withoutSaved(draft: StagedDraft["config"], sent: StagedDraft["config"]["mine"]) {
  const isLeft = ([field, value]: [string, unknown]) =>
    !(field in sent) || sent[field as keyof typeof sent] !== value;
  const mine = Object.fromEntries(Object.entries(draft.mine).filter(isLeft));
  const base = Object.fromEntries(Object.entries(draft.base).filter(([field]) => field in mine));
  return { base, mine };
}

async function showFileConflict(
  client: Client,
  workspaceId: string,
  found: { problem: ReadProblem; update: Update },
): Promise<void> {
  const { path } = found.problem.details;
  if (typeof path !== "string") return;
  const stored = await readStored(client, workspaceId, path);
  if (stored === null) return;
  found.update(withFiles((files) => markConflict(files, fileKey("/configs", path), stored)));
}

async function readStored(client: Client, workspaceId: string, path: string) {
  try {
    const file = await client.files.read.query({ workspaceId, root: "/configs", path });
    return { content: file.content, sha256: file.sha256 };
  } catch {
    // Deleted or out of reach: the draft stays as it is.
    return null;
  }
}

const withFiles =
  (change: (files: StagedDraft["files"]) => StagedDraft["files"]) =>
  (memory: PanelMemory): PanelMemory => ({
    ...memory,
    draft: { ...memory.draft, files: change(memory.draft.files) },
  });

/** Live files are not part of the staged draft, so discarding it leaves them. */
function withoutStaged(memory: PanelMemory): PanelMemory {
  const files = Object.fromEntries(
    Object.entries(memory.draft.files).filter(([, file]) => file.root !== "/configs"),
  );
  return { ...memory, draft: { ...FRESH_MEMORY.draft, files } };
}
