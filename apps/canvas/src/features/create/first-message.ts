const KEY_PREFIX = "molecule.first-message.";

/** Keeps the message that a person typed before their agent existed; survives a reload of the tab. */
export function putFirstMessage(workspaceId: string, text: string): void {
  window.sessionStorage.setItem(KEY_PREFIX + workspaceId, text);
}

/** The kept message, once; null when there is none. Whoever takes it sends it. */
export function takeFirstMessage(workspaceId: string): string | null {
  const text = window.sessionStorage.getItem(KEY_PREFIX + workspaceId);
  if (text !== null) window.sessionStorage.removeItem(KEY_PREFIX + workspaceId);
  return text;
}
