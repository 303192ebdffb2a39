import type { MergedChange } from "@molecule/contracts/workspaces";
import type { ChangeKind } from "@molecule/domain/sets";

const NOUNS: Readonly<Record<ChangeKind, readonly [one: string, many: string]>> = {
  file: ["file", "files"],
  setting: ["setting", "settings"],
  secret: ["secret", "secrets"],
  plugin: ["plugin", "plugins"],
  template: ["template", "templates"],
  image: ["image", "images"],
};

/** Changes as one phrase: `model and 3 files changed by you`. `reader` is who reads it. */
export function describeChanges(merged: readonly MergedChange[], reader: string | null): string {
  if (merged.length === 0) return "changes";
  const what = joinWords(merged.map(describeOne));
  const actors = [...new Set(merged.flatMap((change) => change.actors))];
  const who = joinWords(actors.map((name) => (name === reader ? "you" : name)));
  return who === "" ? `${what} changed` : `${what} changed by ${who}`;
}

function describeOne(change: MergedChange): string {
  const [one, many] = NOUNS[change.kind];
  const [name] = change.names;
  if (
    change.kind === "setting" &&
    change.names.length <= 2 &&
    change.names.length === change.count
  ) {
    return joinWords(change.names);
  }
  if (change.count === 1 && name !== undefined)
    return change.kind === "setting" ? name : `${one} ${name}`;
  return `${change.count} ${change.count === 1 ? one : many}`;
}

function joinWords(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
