import type { MergedChange } from "@molecule/contracts/workspaces";
import { explainChanges } from "@molecule/domain/explain";

/** Changes as one phrase: `model and 1 file changed by you`. `reader` is the name of who reads it. */
export function describeChanges(merged: readonly MergedChange[], reader: string | null): string {
  return explainChanges(
    merged.map((change) => ({
      ...change,
      actors: change.actors.map((name) => (name === reader ? "you" : name)),
    })),
  );
}
