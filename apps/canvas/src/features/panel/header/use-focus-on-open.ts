"use client";
import { type RefObject, useEffect } from "react";

/**
 * Moves the focus to the heading when the panel opens by key, and back to where it was when it
 * closes. Opening by pointer leaves the focus alone. `subject` is what the panel shows.
 */
export function useFocusOnOpen(heading: RefObject<HTMLElement | null>, subject: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another subject is another opening.
  useEffect(() => {
    const before = document.activeElement;
    if (!(before instanceof HTMLElement) || !before.matches(":focus-visible")) return;
    if (isTextField(before) || before.closest("aside") !== null) return;
    heading.current?.focus();
    return () => {
      const isLost = document.activeElement === null || document.activeElement === document.body;
      if (isLost && before.isConnected) before.focus();
    };
  }, [heading, subject]);
}

function isTextField(element: HTMLElement): boolean {
  return element.matches("input, textarea, select, [contenteditable=true]");
}
