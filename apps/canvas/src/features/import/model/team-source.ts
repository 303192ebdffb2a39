/** Where a team comes from. `label` is what a person calls it. */
export type TeamSource =
  /** A folder that the operator has. */
  | { readonly kind: "dir"; readonly label: string; readonly dir: string }
  /** A folder of the person, read whole. */
  | {
      readonly kind: "files";
      /** Another one each time something is dropped or chosen. */
      readonly id: string;
      readonly label: string;
      readonly files: Readonly<Record<string, string | { readonly base64: string }>>;
    }
  | {
      readonly kind: "archive";
      readonly id: string;
      readonly label: string;
      readonly archive: Blob;
    };

/** What tells one source from another. */
export function idOfSource(source: TeamSource): string {
  return source.kind === "dir" ? `dir:${source.dir}` : source.id;
}
