"use client";
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { useTRPC, useTRPCClient } from "../../../trpc/client.tsx";
import { useStreamEvents } from "../../session/connection.tsx";
import { useNodeStore } from "../../store/node-store.tsx";
import { ChatSender } from "../chat/chat-sender.ts";
import { LiveCaches } from "./live-caches.ts";
import {
  createPanelStore,
  type PanelMemory,
  type PanelStore,
  type TextStorage,
} from "./panel-state.ts";
import {
  changedConfigurations,
  changedLedgers,
  markLedgerStale,
  markStale,
} from "./stale-parts.ts";

/** Typing is written to storage this long after the last key. */
const FLUSH_AFTER_MS = 400;

interface PanelRoom {
  readonly store: PanelStore;
  readonly sender: ChatSender;
}

const PanelContext = createContext<PanelRoom | null>(null);

/**
 * Keeps what outlives an open panel: drafts, messages under way, and the caches that events feed.
 * Must be once above every panel, inside the connection.
 */
export function PanelProvider({ children }: { children: ReactNode }) {
  const queryClient = useQueryClient();
  const client = useTRPCClient();
  const trpc = useTRPC();
  const nodes = useNodeStore();
  const [room] = useState<PanelRoom>(() => {
    const store = createPanelStore(pageStorage());
    return { store, sender: new ChatSender(store, (...request) => fetch(...request)) };
  });
  const [live] = useState(() => new LiveCaches(queryClient, client));
  useStreamEvents((events) => live.apply(events));
  useEffect(
    () =>
      nodes.subscribe((now, before) => {
        for (const id of changedConfigurations(before.byId, now.byId)) {
          markStale(queryClient, trpc, id);
        }
        for (const id of changedLedgers(before.byId, now.byId)) markLedgerStale(queryClient, id);
      }),
    [nodes, queryClient, trpc],
  );

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = room.store.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(room.store.flush, FLUSH_AFTER_MS);
    });
    window.addEventListener("pagehide", room.store.flush);
    return () => {
      clearTimeout(timer);
      unsubscribe();
      window.removeEventListener("pagehide", room.store.flush);
      room.store.flush();
    };
  }, [room]);

  return <PanelContext value={room}>{children}</PanelContext>;
}

function useRoom(): PanelRoom {
  const room = useContext(PanelContext);
  if (room === null) throw new Error("The panel needs a PanelProvider above it");
  return room;
}

/** One derived part of what the panel remembers of a workspace. */
export function usePanelMemory<T>(workspaceId: string, selector: (memory: PanelMemory) => T): T {
  const { store } = useRoom();
  return useStore(store, (state) =>
    selector(state.byWorkspace[workspaceId] ?? store.load(workspaceId)),
  );
}

/** What the panel remembers of several workspaces, in the order of `ids`. */
export function usePanelMemories(ids: readonly string[]): readonly PanelMemory[] {
  const { store } = useRoom();
  return useStore(
    store,
    useShallow((state) => ids.map((id) => state.byWorkspace[id] ?? store.load(id))),
  );
}

/** The store itself, for handlers that work on several workspaces. */
export function usePanelStore(): PanelStore {
  return useRoom().store;
}

/** Changes what the panel remembers of a workspace. */
export function useUpdateMemory(
  workspaceId: string,
): (change: (memory: PanelMemory) => PanelMemory) => void {
  const { store } = useRoom();
  return (change) => store.getState().update(workspaceId, change);
}

/** Reads the memory right now, for handlers. */
export function useReadMemory(workspaceId: string): () => PanelMemory {
  const { store } = useRoom();
  return () => store.getState().byWorkspace[workspaceId] ?? store.load(workspaceId);
}

/** Sends messages and follows their replies. */
export function useChatSender(): ChatSender {
  return useRoom().sender;
}

/** `localStorage`, or nothing while the page is rendered without a browser. */
function pageStorage(): TextStorage {
  return typeof window === "undefined"
    ? { getItem: () => null, setItem: () => {}, removeItem: () => {} }
    : {
        getItem: (key) => window.localStorage.getItem(key),
        setItem: (key, value) => window.localStorage.setItem(key, value),
        removeItem: (key) => window.localStorage.removeItem(key),
      };
}
