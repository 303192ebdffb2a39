import type { FileRoot } from "@molecule/domain/sets";
import { createStore, type StoreApi } from "zustand/vanilla";
import { type LocalTurn, persistableTurns } from "../chat/model/turn.ts";
import { EMPTY_CONFIG_DRAFT } from "../drafts/config-draft.ts";
import { persistableFiles } from "../drafts/file-draft.ts";
import type { StagedDraft } from "../drafts/staged-save.ts";

/** Facets of the Activity tab. */
export const ACTIVITY_FACETS = ["all", "messages", "tasks", "lifecycle", "errors"] as const;
export type ActivityFacet = (typeof ACTIVITY_FACETS)[number];

/** Everything the panel remembers of one workspace across tabs, selection and (most of it) reload. */
export interface PanelMemory {
  /** The text in the composer. */
  readonly composer: string;
  /** Messages sent from this tab that history does not have yet. */
  readonly turns: readonly LocalTurn[];
  readonly draft: StagedDraft;
  readonly fileRoot: FileRoot;
  /** Open file per root; absent means none. */
  readonly openFile: Partial<Readonly<Record<FileRoot, string>>>;
  readonly openFolders: Partial<Readonly<Record<FileRoot, readonly string[]>>>;
  readonly facet: ActivityFacet;
}

/** What a workspace starts with. */
export const FRESH_MEMORY: PanelMemory = {
  composer: "",
  turns: [],
  draft: { config: EMPTY_CONFIG_DRAFT, files: {}, secrets: {}, plugins: {} },
  fileRoot: "/configs",
  openFile: {},
  openFolders: {},
  facet: "all",
};

/** Where memory outlives the page; `localStorage` fits. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

interface PanelState {
  readonly byWorkspace: Readonly<Record<string, PanelMemory>>;
  /** Changes the memory of one workspace; written to storage with the next {@link PanelStore.flush}. */
  readonly update: (workspaceId: string, change: (memory: PanelMemory) => PanelMemory) => void;
}
export type PanelStore = StoreApi<PanelState> & {
  /** Reads what an earlier page kept of a workspace, once. */
  readonly load: (workspaceId: string) => PanelMemory;
  /** Writes everything that changed since the last flush. */
  readonly flush: () => void;
};

const VERSION = 1;
const storageKey = (workspaceId: string) => `molecule.panel.${workspaceId}`;

/** A store whose memories are read from `storage` when first asked for. Secrets are never written. */
export function createPanelStore(storage: TextStorage): PanelStore {
  const changed = new Set<string>();
  const loaded = new Map<string, PanelMemory>();
  const load = (workspaceId: string): PanelMemory => {
    const known = loaded.get(workspaceId);
    if (known !== undefined) return known;
    const memory = readMemory(storage, workspaceId);
    loaded.set(workspaceId, memory);
    return memory;
  };
  const store = createStore<PanelState>((set) => ({
    byWorkspace: {},
    update: (workspaceId, change) =>
      set((state) => {
        const before = state.byWorkspace[workspaceId] ?? load(workspaceId);
        const after = change(before);
        if (after === before) return state;
        changed.add(workspaceId);
        return { byWorkspace: { ...state.byWorkspace, [workspaceId]: after } };
      }),
  }));
  const flush = () => {
    for (const workspaceId of changed) {
      const memory = store.getState().byWorkspace[workspaceId];
      if (memory !== undefined) writeMemory(storage, workspaceId, memory);
    }
    changed.clear();
  };
  return Object.assign(store, { load, flush });
}

/** The memory as text for storage; null when there is nothing worth keeping. */
function serializeMemory(memory: PanelMemory): string | null {
  const kept = {
    version: VERSION,
    composer: memory.composer,
    turns: persistableTurns(memory.turns),
    config: memory.draft.config,
    files: persistableFiles(memory.draft.files),
    plugins: memory.draft.plugins,
    fileRoot: memory.fileRoot,
    openFile: memory.openFile,
    openFolders: memory.openFolders,
    facet: memory.facet,
  };
  const text = JSON.stringify(kept);
  const isFresh = text === JSON.stringify({ ...kept, ...freshParts() });
  return isFresh ? null : text;
}

function freshParts() {
  const { draft, turns, ...rest } = FRESH_MEMORY;
  return { ...rest, turns, config: draft.config, files: draft.files, plugins: draft.plugins };
}

function readMemory(storage: TextStorage, workspaceId: string): PanelMemory {
  try {
    const text = storage.getItem(storageKey(workspaceId));
    if (text === null) return FRESH_MEMORY;
    const { version, config, files, plugins = {}, ...rest } = JSON.parse(text);
    if (version !== VERSION) return FRESH_MEMORY;
    return { ...FRESH_MEMORY, ...rest, draft: { config, files, secrets: {}, plugins } };
  } catch {
    // Storage that is closed to us or holds something else is as good as none.
    return FRESH_MEMORY;
  }
}

function writeMemory(storage: TextStorage, workspaceId: string, memory: PanelMemory): void {
  try {
    const text = serializeMemory(memory);
    if (text === null) storage.removeItem(storageKey(workspaceId));
    else storage.setItem(storageKey(workspaceId), text);
  } catch {
    // A full storage costs the draft after a reload, never the draft on screen.
  }
}
