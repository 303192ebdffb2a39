"use client";
import { useStore } from "@xyflow/react";
import { createContext, type ReactNode, useContext } from "react";

/** How much a card shows at the present zoom. Source: canvas brief §7. */
export type DetailLevel = "full" | "brief" | "tile";

const FULL_FROM_ZOOM = 0.62;
const BRIEF_FROM_ZOOM = 0.36;

const DetailContext = createContext<DetailLevel>("full");

/** One subscription to the zoom for all cards; they render again only when the level changes. */
export function DetailLevelProvider({ children }: { children: ReactNode }) {
  const level = useStore(({ transform: [, , zoom] }): DetailLevel => {
    if (zoom >= FULL_FROM_ZOOM) return "full";
    return zoom >= BRIEF_FROM_ZOOM ? "brief" : "tile";
  });
  return <DetailContext value={level}>{children}</DetailContext>;
}

/** The present level. */
export function useDetailLevel(): DetailLevel {
  return useContext(DetailContext);
}
