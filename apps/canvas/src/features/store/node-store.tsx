"use client";
import type { StreamEvent } from "@molecule/contracts/events";
import type { CanvasSnapshot, WorkspaceNode } from "@molecule/contracts/workspaces";
import { createContext, type ReactNode, useContext, useState } from "react";
import { createStore, type StoreApi, useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import {
  EMPTY_NODE_STATE,
  type NodeState,
  type Organisation,
  type Shape,
  withEvents,
  withHeld,
  withNode,
  withoutNodes,
  withReleased,
  withSnapshot,
} from "./node-state.ts";

/** The live node cache. No network in here: the stream and the actions hand data in. */
export interface NodeStore extends StoreApi<NodeState> {
  applySnapshot(snapshot: CanvasSnapshot): void;
  applyEvents(events: readonly StreamEvent[]): void;
  /** Adds or replaces one node, as an answer or an optimistic guess gave it. */
  put(node: WorkspaceNode): void;
  remove(ids: readonly string[]): void;
  /** Shows cards at new places before the server has them. */
  hold(shapes: readonly Shape[]): void;
  /** What a new agent can start from is another list than the snapshot's. */
  learnTemplates(templates: Organisation["templates"]): void;
  /** Ends {@link hold}: keeps the places when saved, else goes back. */
  release(ids: readonly string[], isSaved: boolean): void;
}

/** A store without nodes. */
export function createNodeStore(): NodeStore {
  const store = createStore<NodeState>(() => EMPTY_NODE_STATE);
  const change = (next: (state: NodeState) => NodeState) => store.setState(next, true);
  return {
    ...store,
    applySnapshot: (snapshot) => change((state) => withSnapshot(state, snapshot)),
    applyEvents: (events) => change((state) => withEvents(state, events)),
    put: (node) => change((state) => withNode(state, node)),
    remove: (ids) => change((state) => withoutNodes(state, ids)),
    hold: (shapes) => change((state) => withHeld(state, shapes)),
    learnTemplates: (templates) =>
      change((state) => ({
        ...state,
        organisation: state.organisation && { ...state.organisation, templates },
      })),
    release: (ids, isSaved) => change((state) => withReleased(state, ids, isSaved)),
  };
}

const NodeStoreContext = createContext<NodeStore | null>(null);

/** Provides one node store to the page. */
export function NodeStoreProvider({ children }: { children: ReactNode }) {
  const [store] = useState(createNodeStore);
  return <NodeStoreContext value={store}>{children}</NodeStoreContext>;
}

/** The store itself, for handlers; components read through the selectors below. */
export function useNodeStore(): NodeStore {
  const store = useContext(NodeStoreContext);
  if (store === null) throw new Error("useNodeStore needs a NodeStoreProvider above it");
  return store;
}

/** Any derived value; the component renders again when it changes by identity. */
export function useNodes<T>(selector: (state: NodeState) => T): T {
  return useStore(useNodeStore(), selector);
}

/** Like {@link useNodes} for arrays and records, compared one level deep. */
export function useNodesShallow<T>(selector: (state: NodeState) => T): T {
  return useStore(useNodeStore(), useShallow(selector));
}

/** One workspace, or undefined while it is not there (yet, or any more). */
export function useNode(id: string): WorkspaceNode | undefined {
  return useNodes((state) => state.byId[id]);
}

/** What the page knows besides nodes; null until the first snapshot. */
export function useOrganisation(): Organisation | null {
  return useNodes((state) => state.organisation);
}
