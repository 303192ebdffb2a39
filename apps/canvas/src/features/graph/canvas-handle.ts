"use client";
import { createContext, type RefObject, useContext } from "react";
import type { Direction } from "./model/nearest.ts";
import type { Point } from "./model/rect.ts";

/** What the keys and the commands may ask of the canvas. */
export interface CanvasHandle {
  /** Brings a card into view, moving only as far as needed. */
  reveal(id: string): void;
  fitAll(): void;
  /** The card nearest that way; null when there is none. */
  nearest(id: string, direction: Direction): string | null;
  /** The middle of what is in view, in canvas pixels. */
  centre(): Point;
  /** Ids in drawing order. */
  order(): readonly string[];
}

export const CanvasHandleContext = createContext<RefObject<CanvasHandle | null>>({ current: null });

/** The canvas, or null in `current` while none is shown (as on a phone). */
export function useCanvasHandle(): RefObject<CanvasHandle | null> {
  return useContext(CanvasHandleContext);
}
