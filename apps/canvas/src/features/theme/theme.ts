"use client";
import { useEffect, useSyncExternalStore } from "react";
import { THEME_KEY } from "../session/boot-script.ts";

/** What a person chose; `system` follows the device. */
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const CHANGED = "molecule:theme";

function readTheme(): Theme {
  const kept = window.localStorage.getItem(THEME_KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

function show(theme: Theme): void {
  const isDark =
    theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
}

/** Chooses a theme, at once and for later visits. */
export function setTheme(theme: Theme): void {
  if (theme === "system") window.localStorage.removeItem(THEME_KEY);
  else window.localStorage.setItem(THEME_KEY, theme);
  show(theme);
  window.dispatchEvent(new Event(CHANGED));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener(CHANGED, listener);
  window.addEventListener("storage", listener);
  return () => {
    window.removeEventListener(CHANGED, listener);
    window.removeEventListener("storage", listener);
  };
}

/** The chosen theme. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, readTheme, () => "system");
}

/** Follows the device while the theme is `system`. Must be used once on the page. */
export function useSystemTheme(): void {
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => show(readTheme());
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
}
