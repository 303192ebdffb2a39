declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** A workspace id: lower-case canonical UUID v4 text. */
export type WorkspaceId = Branded<string, "WorkspaceId">;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The id in canonical form, or null when the text is not a UUID at all. */
export function parseWorkspaceId(text: string): WorkspaceId | null {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? (lower as WorkspaceId) : null;
}

/** The first twelve characters of a workspace id as names on an engine carry them. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}
