/** A key as it stands on this keyboard: `Mod+K` is `⌘+K` or `Ctrl+K`. */
export function shownKeys(keys: string, isMac: boolean): string {
  return keys.replace("Mod", isMac ? "⌘" : "Ctrl");
}
