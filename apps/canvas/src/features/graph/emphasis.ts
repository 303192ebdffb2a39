"use client";
import { createContext, useContext } from "react";
import { useUi } from "../store/ui-store.tsx";

/** What the canvas marks: the open card, the team that a drag aims at, and what the filter leaves. */
export interface Emphasis {
  readonly openId: string | null;
  readonly matches: ReadonlySet<string> | null;
}

export const EmphasisContext = createContext<Emphasis>({ openId: null, matches: null });

/** How one card is marked. */
export function useCardEmphasis(id: string) {
  const { openId, matches } = useContext(EmphasisContext);
  const isTarget = useUi((ui) => ui.dropTargetId === id);
  return { isOpen: openId === id, isDimmed: matches !== null && !matches.has(id), isTarget };
}
