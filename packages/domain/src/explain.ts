import { type Actor, type AttemptReason, type ChangeKind, PLATFORM_ACTOR } from "./sets.ts";

/** One row of the ledger of writes. */
export interface ChangeRow {
  readonly kind: ChangeKind;
  /** A path, a setting's name, a secret's key; never a value. */
  readonly name: string;
  readonly actorName: string;
  readonly at: Date;
}

/** Writes of one kind, grouped. Instants are ISO text: this is stored and sent. */
export interface MergedChange {
  kind: ChangeKind;
  /** Different names, not writes: a file saved twice is one. */
  count: number;
  /** At most ten, in order of first change. */
  names: string[];
  actors: string[];
  from: string;
  to: string;
}

/** Names kept per group; the count goes on. */
const MAX_NAMES = 10;
const KIND_ORDER: readonly ChangeKind[] = [
  "image",
  "redeploy",
  "template",
  "plugin",
  "setting",
  "secret",
  "file",
];

/** Groups writes by kind, in a fixed order of kinds. Empty for no writes. SPEC: X1, X2. */
export function mergeChanges(rows: readonly ChangeRow[]): MergedChange[] {
  const ordered = rows.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  return KIND_ORDER.flatMap((kind) => {
    const ofKind = ordered.filter((row) => row.kind === kind);
    const first = ofKind[0];
    const last = ofKind.at(-1);
    if (first === undefined || last === undefined) return [];
    const names = [...new Set(ofKind.map((row) => row.name))];
    const actors = [...new Set(ofKind.map((row) => row.actorName))];
    return [
      {
        kind,
        count: names.length,
        names: names.slice(0, MAX_NAMES),
        actors,
        from: first.at.toISOString(),
        to: last.at.toISOString(),
      },
    ];
  });
}

/** How an instance ended that ended together with the engine it ran on. */
export const ENDED_WITH_ENGINE = "the engine it ran on was stopped";

/** How an instance ended of which its machine, or who watches it, said that it cannot start. */
export const BOOTSTRAP_FAILED = "its machine reported that it cannot start";

/** What is known about why an attempt begins. */
export interface AttemptCause {
  readonly reason: AttemptReason;
  readonly actor: Actor;
  readonly merged: readonly MergedChange[];
  /** Exit code or signal of what ran before, when it ended by itself and that is known. */
  readonly exit: string | null;
  /** Sentence of the failure that is retried; absent when nothing failed. */
  readonly failure: string | null;
}

/** One line that says why an attempt begins, without a full stop. SPEC: X3 to X8, I10, I14. */
export function explainAttempt(cause: AttemptCause): string {
  const own = explainReason(cause);
  const carried = cause.merged.filter((group) => isCarried(group.kind, cause.reason));
  return carried.length > 0 ? `${own}, with ${listChanges(carried)} changed` : own;
}

/** Whether a change is told after the reason: the reason's own are in it already. */
function isCarried(kind: ChangeKind, reason: AttemptReason): boolean {
  // A wish to start anew is no change that anybody could look at.
  if (kind === "redeploy") return false;
  if (reason === "image" || reason === "redeploy") return kind !== reason;
  return !isChangeReason(reason);
}

function explainReason(cause: AttemptCause): string {
  const by = cause.actor.name;
  switch (cause.reason) {
    case "create":
      return `created by ${by}`;
    case "user":
      return `restarted by ${by}`;
    case "resume":
      return `resumed by ${by}`;
    case "wake":
      return `woken by ${by}`;
    case "schedule":
      return "started by its schedule";
    case "crash":
      return explainExit(cause.exit);
    case "oom":
      return "the agent ran out of memory";
    case "unhealthy":
      return "the agent no longer answered";
    case "boot_retry":
      return cause.failure === null ? "another try to start" : `another try: ${cause.failure}`;
    case "host_moved":
      return "moved to another host";
    case "platform_upgrade":
      return cause.exit === ENDED_WITH_ENGINE
        ? "the Docker engine was stopped and runs again"
        : "the platform was started again";
    case "image": {
      const askers = namesBehind(cause.merged, "image");
      return askers === ""
        ? "a newer runtime image"
        : `a newer runtime image, asked for by ${askers}`;
    }
    case "redeploy":
      return `redeployed by ${namesBehind(cause.merged, "redeploy") || by}`;
    case "files":
    case "settings":
    case "secret":
    case "plugin":
    case "template":
      return explainChanges(cause.merged);
  }
}

/** Who is behind the changes of one kind; empty for the platform alone. */
function namesBehind(merged: readonly MergedChange[], kind: ChangeKind): string {
  const actors = merged.find((group) => group.kind === kind)?.actors ?? [];
  return listWords(actors.filter((name) => name !== PLATFORM_ACTOR.name));
}

/** How an agent ends that is told to, by whoever: an engine that stops, a person at the machine. */
const ORDERLY_EXITS: readonly string[] = ["0", "143", "exit code 0", "exit code 143", "SIGTERM"];

function explainExit(exit: string | null): string {
  if (exit === null) return "the agent stopped by itself";
  return ORDERLY_EXITS.includes(exit)
    ? `the agent was stopped from outside (${exit})`
    : `crashed (${exit})`;
}

function isChangeReason(reason: AttemptReason): boolean {
  return ["files", "settings", "secret", "plugin", "template"].includes(reason);
}

/** "model and 1 file changed by Ada"; "17 files saved by Ada, 12:01:07 to 12:02:03" (UTC). */
export function explainChanges(merged: readonly MergedChange[]): string {
  const [only] = merged;
  if (only === undefined) return "its configuration changed";
  const actors = listWords([...new Set(merged.flatMap((group) => group.actors))]);
  if (merged.length === 1 && only.kind === "file" && only.count > 1) {
    const from = timeOfDay(only.from);
    const to = timeOfDay(only.to);
    const when = from === to ? `at ${from}` : `${from} to ${to}`;
    return `${only.count} files saved by ${actors}, ${when}`;
  }
  return `${listChanges(merged)} changed by ${actors}`;
}

/** "model and 1 file": what was changed, without who did it. */
export function listChanges(merged: readonly MergedChange[]): string {
  return listWords(merged.flatMap(nameGroup));
}

const NOUNS: Record<ChangeKind, readonly [one: string, many: string]> = {
  image: ["image", "images"],
  redeploy: ["redeployment", "redeployments"],
  template: ["template", "templates"],
  plugin: ["plugin", "plugins"],
  setting: ["setting", "settings"],
  secret: ["secret", "secrets"],
  file: ["file", "files"],
};

function nameGroup(group: MergedChange): readonly string[] {
  const isNamed = group.kind === "setting" || group.kind === "secret";
  if (isNamed && group.count <= 2) return group.names;
  const [one, many] = NOUNS[group.kind];
  return [`${group.count} ${group.count === 1 ? one : many}`];
}

/** "a", "a and b", "a, b and c". */
function listWords(words: readonly string[]): string {
  if (words.length <= 1) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function timeOfDay(iso: string): string {
  return iso.slice(11, 19);
}
