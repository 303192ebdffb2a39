"use client";
import { useEffect, useEffectEvent } from "react";

const REQUESTED = "molecule:focus-composer";

/** Asks the chat that is open, or about to open, to put the caret into its composer. */
export function requestComposerFocus(): void {
  // After the next paint, so that a chat that this very action opens is there to hear it.
  requestAnimationFrame(() => window.dispatchEvent(new Event(REQUESTED)));
}

/** Calls `onRequest` whenever the composer should take the focus. */
export function useComposerFocusRequest(onRequest: () => void): void {
  const handle = useEffectEvent(onRequest);
  useEffect(() => {
    const listener = () => handle();
    window.addEventListener(REQUESTED, listener);
    return () => window.removeEventListener(REQUESTED, listener);
  }, []);
}
