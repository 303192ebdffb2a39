/** The parts of a key press that decide. */
export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** True when a press is the shortcut `keys`, as in `C`, `?`, `Shift+1` or `Mod+K`. */
export function isPress(press: KeyPress, keys: string): boolean {
  const parts = keys.split("+");
  const key = parts[parts.length - 1] ?? "";
  const wantsMod = parts.includes("Mod");
  if ((press.ctrlKey || press.metaKey) !== wantsMod || press.altKey) return false;
  if (parts.includes("Shift")) return press.shiftKey && press.code === `Digit${key}`;
  // A character that needs Shift on this keyboard, such as ?, is the character; a letter is not.
  const isLetter = /^[a-z]$/i.test(key);
  if (isLetter && press.shiftKey) return false;
  return press.key.toLowerCase() === key.toLowerCase();
}

/** What has the focus, as far as single keys care. */
export type FocusKind = "text" | "layer" | "control" | "card" | "page";

/**
 * True when a shortcut may act for this focus. Chords with Mod work everywhere; single keys are off in
 * text fields, dialogs and menus; Enter, Space and Tab always belong to the control that has the focus.
 */
export function mayAct(keys: string, focus: FocusKind): boolean {
  if (keys.startsWith("Mod+")) return true;
  if (focus === "text" || focus === "layer") return false;
  if (keys === "Enter") return focus === "card";
  return true;
}
