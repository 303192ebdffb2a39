"use client";
import { useSyncExternalStore } from "react";

const never = () => () => {};

/** True where the command key is ⌘. */
export function useIsMac(): boolean {
  return useSyncExternalStore(
    never,
    () => /Mac|iPhone|iPad/.test(navigator.userAgent),
    () => false,
  );
}
