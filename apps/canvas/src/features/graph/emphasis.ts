"use client";
import { createContext, useContext } from "react";
import { useUi } from "../store/ui-store.tsx";

/** What the canvas marks: the open card, the team that a drag aims at, and what the filter leaves. */
export interface Emphasis {
  readonly openId: string | null;
  readonly matches: ReadonlySet<string> | null;
}

export const EmphasisContext = createContext<Emphasis>({ openId: null, matches: null });

/** How one card is marked. A selected card is marked only while no other one is open. */
export function useCardEmphasis(id: string, isSelected: boolean) {
  const { openId, matches } = useContext(EmphasisContext);
  const isTarget = useUi((ui) => ui.dropTargetId === id);
  const isOpen = openId === id;
  const isMarked = isOpen || (isSelected && openId === null);
  return { isOpen, isMarked, isDimmed: matches !== null && !matches.has(id), isTarget };
}
