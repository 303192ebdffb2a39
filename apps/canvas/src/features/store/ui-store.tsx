"use client";
import type { ConnectionView } from "@molecule/contracts/procedures";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { createStore, type StoreApi, useStore } from "zustand";
import type { TeamSource } from "../import/model/team-source.ts";

/** What a reload may lose. Width and rail are kept in the browser as a convenience. */
export interface UiState {
  readonly renamingId: string | null;
  readonly removingId: string | null;
  /** The external agent whose token is about to be replaced. */
  readonly rotatingId: string | null;
  /** The external agent whose connection is shown; `connection` with a token that was just issued. */
  readonly connecting: { readonly id: string; readonly connection: ConnectionView | null } | null;
  /** The team that a person dropped or chose, until it is imported; a reload asks for it again. */
  readonly team: TeamSource | null;
  /** The card that the keyboard and the shortcuts mean while no panel is open. */
  readonly selectedId: string | null;
  /** The agent whose terminal is open below the page. */
  readonly terminalOf: string | null;
  /** The open card menu and where it hangs, in px of the window. */
  readonly menu: { readonly id: string; readonly x: number; readonly y: number } | null;
  /** The team that the card under the pointer would join. */
  readonly dropTargetId: string | null;
  readonly layer: "commands" | "cheat-sheet" | null;
  readonly filter: string;
  readonly isFilterOpen: boolean;
  readonly isRailOpen: boolean;
  /** In px, 420 to 720. */
  readonly panelWidth: number;
}

export type UiStore = StoreApi<UiState>;

const KEPT_KEY = "molecule.layout";
export const MIN_PANEL_WIDTH = 420;
export const MAX_PANEL_WIDTH = 720;
const INITIAL: UiState = {
  renamingId: null,
  removingId: null,
  rotatingId: null,
  connecting: null,
  team: null,
  selectedId: null,
  terminalOf: null,
  menu: null,
  dropTargetId: null,
  layer: null,
  filter: "",
  isFilterOpen: false,
  isRailOpen: true,
  panelWidth: 460,
};

/** A panel width inside its limits. */
export function clampPanelWidth(width: number): number {
  return Math.round(Math.min(MAX_PANEL_WIDTH, Math.max(MIN_PANEL_WIDTH, width)));
}

function readKept(): Partial<UiState> {
  try {
    const kept: unknown = JSON.parse(window.localStorage.getItem(KEPT_KEY) ?? "{}");
    if (typeof kept !== "object" || kept === null) return {};
    const width =
      "panelWidth" in kept && typeof kept.panelWidth === "number" ? kept.panelWidth : null;
    const isRailOpen =
      "isRailOpen" in kept && typeof kept.isRailOpen === "boolean" ? kept.isRailOpen : null;
    return {
      ...(width === null ? {} : { panelWidth: clampPanelWidth(width) }),
      ...(isRailOpen === null ? {} : { isRailOpen }),
    };
  } catch {
    return {};
  }
}

const UiStoreContext = createContext<UiStore | null>(null);

/** Provides the view state of the page. */
export function UiStoreProvider({ children }: { children: ReactNode }) {
  const [store] = useState(() => createStore<UiState>(() => INITIAL));
  useEffect(() => {
    // After hydration: the page was drawn without the browser's memory.
    store.setState(readKept());
    return store.subscribe(({ panelWidth, isRailOpen }, before) => {
      if (panelWidth === before.panelWidth && isRailOpen === before.isRailOpen) return;
      window.localStorage.setItem(KEPT_KEY, JSON.stringify({ panelWidth, isRailOpen }));
    });
  }, [store]);
  return <UiStoreContext value={store}>{children}</UiStoreContext>;
}

/** The view state's store, for handlers. */
export function useUiStore(): UiStore {
  const store = useContext(UiStoreContext);
  if (store === null) throw new Error("useUiStore needs a UiStoreProvider above it");
  return store;
}

/** One part of the view state. */
export function useUi<T>(selector: (state: UiState) => T): T {
  return useStore(useUiStore(), selector);
}
