/** A write on record: one changed name of one generation. */
export interface RecordedChange {
  readonly workspaceId: string;
  readonly gen: number;
  /** "file note.md", "secret KEY" or "setting model". */
  readonly name: string;
  readonly isBatch: boolean;
  /** Milliseconds since the epoch, of the database's clock. */
  readonly at: number;
}

/** An attempt as the ledger has it at the end. */
export interface RecordedAttempt {
  readonly workspaceId: string;
  readonly no: number;
  readonly reason: string | null;
  readonly actor: string | null;
  readonly sentence: string | null;
  /** Null while it is open, which at rest none may be. */
  readonly outcome: string | null;
  /** Null when it ended before its snapshot. */
  readonly snapGen: number | null;
}

/** What one instance itself found when it booted. */
export interface Witness {
  readonly workspaceId: string;
  readonly attemptNo: number;
  /** By the names of {@link RecordedChange}; a name that is absent was not there. */
  readonly values: Readonly<Record<string, string>>;
  readonly pid: number;
  /** When it booted, in ms since the epoch. */
  readonly at: number;
}

/** An instance that the run itself ended. */
export interface Killing {
  readonly pid: number;
  /** In ms since the epoch. */
  readonly at: number;
}

/** A write that was acknowledged; null deletes. In the order of acknowledgement. */
export interface AcknowledgedWrite {
  readonly workspaceId: string;
  readonly name: string;
  readonly value: string | null;
}

/** What was done to a workspace besides writing; upper bounds. */
export interface Pressed {
  readonly clicks: number;
  readonly resumes: number;
  /** Ends of its instances from outside: the real crashes. */
  readonly deaths: number;
}

/** Everything that a run leaves behind to be judged. */
export interface History {
  readonly changes: readonly RecordedChange[];
  readonly attempts: readonly RecordedAttempt[];
  readonly witnesses: readonly Witness[];
  readonly writes: readonly AcknowledgedWrite[];
  readonly pressed: ReadonlyMap<string, Pressed>;
  readonly killings: readonly Killing[];
}

/** Times of the settle rule that the bound on attempts needs, scaled as the run was, in ms. */
export interface BoundSettings {
  /** A gap longer than this may end a stream. */
  readonly streamGapMs: number;
  readonly hardLimitMs: number;
}

/** What is wrong with a history; every list is empty when the promises were kept. */
export interface Verdict {
  /** Acknowledged writes that are not on record, and writes on record that nobody made. */
  readonly missing: readonly string[];
  /** Attempts whose instance booted with content older than their generation. */
  readonly stale: readonly string[];
  /** Attempts that several instances booted for. */
  readonly twice: readonly string[];
  /** Attempts that became ready although no instance booted for them. */
  readonly unseen: readonly string[];
  /** Restarts for a crash that nobody caused. */
  readonly selfFired: readonly string[];
  /** Attempts without reason, actor, sentence or end, and gaps in their numbers. */
  readonly unexplained: readonly string[];
  /** Workspaces with more attempts than lifecycle A6 allows. */
  readonly tooMany: readonly string[];
}

const NOT_PRESSED: Pressed = { clicks: 0, resumes: 0, deaths: 0 };
const CRASH_REASONS = ["crash", "oom", "unhealthy", "platform_upgrade"];
const BOOT_FAILURES = ["boot_timeout", "boot_failed", "create_failed"];

/** Judges a whole history. Source: lifecycle A6, A7 "harness strength". */
export function checkHistory(history: History, settings: BoundSettings): Verdict {
  const verdict = {
    missing: [] as string[],
    stale: [] as string[],
    twice: [] as string[],
    unseen: [] as string[],
    selfFired: [] as string[],
    unexplained: [] as string[],
    tooMany: [] as string[],
  };
  const ids = new Set([
    ...history.attempts.map((one) => one.workspaceId),
    ...history.writes.map((one) => one.workspaceId),
  ]);
  const of = <T extends { readonly workspaceId: string }>(all: readonly T[]) => groupBy(all);
  const changes = of(history.changes);
  const attempts = of(history.attempts);
  const witnesses = of(history.witnesses);
  const writes = of(history.writes);
  for (const id of ids) {
    const own = {
      id,
      changes: [...(changes.get(id) ?? [])].sort((a, b) => a.gen - b.gen),
      attempts: [...(attempts.get(id) ?? [])].sort((a, b) => a.no - b.no),
      witnesses: witnesses.get(id) ?? [],
      writes: writes.get(id) ?? [],
      pressed: history.pressed.get(id) ?? NOT_PRESSED,
      killings: history.killings,
    };
    const names = seriesOf(own.changes, own.writes);
    verdict.missing.push(...missingOf(id, names));
    verdict.stale.push(...staleOf(own, names));
    verdict.twice.push(...twiceOf(own));
    if (history.witnesses.length > 0) verdict.unseen.push(...unseenOf(own));
    verdict.selfFired.push(...selfFiredOf(own));
    verdict.unexplained.push(...unexplainedOf(own));
    verdict.tooMany.push(...tooManyOf(own, settings));
  }
  return verdict;
}

interface Own {
  readonly id: string;
  readonly changes: readonly RecordedChange[];
  readonly attempts: readonly RecordedAttempt[];
  readonly witnesses: readonly Witness[];
  readonly writes: readonly AcknowledgedWrite[];
  readonly pressed: Pressed;
  readonly killings: readonly Killing[];
}

/** The generations on record of one name and the values written to it, both in order. */
interface Series {
  readonly gens: readonly number[];
  readonly values: readonly (string | null)[];
}

function groupBy<T extends { readonly workspaceId: string }>(all: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(one.workspaceId);
    if (group === undefined) groups.set(one.workspaceId, [one]);
    else group.push(one);
  }
  return groups;
}

function seriesOf(
  changes: readonly RecordedChange[],
  writes: readonly AcknowledgedWrite[],
): Map<string, Series> {
  const found = new Map<string, { gens: number[]; values: (string | null)[] }>();
  const at = (name: string) => {
    const series = found.get(name) ?? { gens: [], values: [] };
    found.set(name, series);
    return series;
  };
  for (const change of changes) at(change.name).gens.push(change.gen);
  for (const write of writes) at(write.name).values.push(write.value);
  return found;
}

function missingOf(id: string, names: ReadonlyMap<string, Series>): string[] {
  return [...names]
    .filter(([, { gens, values }]) => gens.length !== values.length)
    .map(
      ([name, { gens, values }]) =>
        `${id} ${name}: ${values.length} acknowledged, ${gens.length} on record`,
    );
}

/** Newer content than the generation is right: a worker that takes over reads it again. */
function staleOf({ id, attempts, witnesses }: Own, names: ReadonlyMap<string, Series>): string[] {
  const stale: string[] = [];
  for (const { attemptNo, values: seen } of witnesses) {
    const snapGen = attempts.find((one) => one.no === attemptNo)?.snapGen ?? null;
    if (snapGen === null) {
      stale.push(`${id} attempt ${attemptNo}: an instance booted for an attempt without snapshot`);
      continue;
    }
    for (const [name, { gens, values }] of names) {
      const least = gens.filter((gen) => gen <= snapGen).length;
      const is = seen[name] ?? null;
      const isRight =
        values.slice(Math.max(least - 1, 0)).includes(is) || (least === 0 && !values.includes(is));
      if (!isRight) {
        const should = values[least - 1] ?? "nothing";
        stale.push(
          `${id} attempt ${attemptNo} of generation ${snapGen}, ${name}: ${is ?? "absent"} instead of ${should} or newer`,
        );
      }
    }
  }
  return stale;
}

/** One that was killed before anybody had recorded it is started again under the same number. */
function twiceOf({ id, witnesses, killings }: Own): string[] {
  const found: string[] = [];
  const order = [...witnesses].sort((a, b) => a.attemptNo - b.attemptNo || a.at - b.at);
  for (const [index, second] of order.entries()) {
    const first = order[index - 1];
    if (first?.attemptNo !== second.attemptNo) continue;
    const isOver = killings.some(
      ({ pid, at }) => pid === first.pid && at >= first.at && at <= second.at,
    );
    if (isOver) continue;
    const apart = second.at - first.at;
    found.push(
      `${id} attempt ${second.attemptNo}: instance ${second.pid} booted ${apart} ms after ${first.pid}`,
    );
  }
  return found;
}

function unseenOf({ id, attempts, witnesses }: Own): string[] {
  const seen = new Set(witnesses.map((one) => one.attemptNo));
  return attempts
    .filter((one) => one.outcome === "ready" && !seen.has(one.no))
    .map((one) => `${id} attempt ${one.no}: ready, and nobody saw it boot`);
}

function selfFiredOf({ id, attempts, pressed }: Own): string[] {
  const crashes = attempts.filter((one) => CRASH_REASONS.includes(one.reason ?? ""));
  const fired = crashes.length > pressed.deaths ? crashes.slice(pressed.deaths) : [];
  const retries = attempts.filter((one) => {
    if (one.reason !== "boot_retry") return false;
    const before = attempts.find((other) => other.no === one.no - 1);
    return !BOOT_FAILURES.includes(before?.outcome ?? "");
  });
  const clicked = attempts.filter((one) => one.reason === "user").slice(pressed.clicks);
  const ledger = attempts.map((one) => `${one.no} ${one.reason}/${one.outcome}`).join(", ");
  return [...fired, ...retries, ...clicked].map(
    (one) =>
      `${id} attempt ${one.no}: ${one.reason}, and nothing caused it (${pressed.deaths} deaths; ${ledger})`,
  );
}

function unexplainedOf({ id, attempts }: Own): string[] {
  return attempts.flatMap((one, index) => {
    const lacks = [
      ...(one.reason ? [] : ["reason"]),
      ...(one.actor ? [] : ["actor"]),
      ...(one.sentence ? [] : ["sentence"]),
      ...(one.outcome === null ? ["end"] : []),
      ...(one.no === index + 1 ? [] : ["number in order"]),
    ];
    return lacks.length === 0 ? [] : [`${id} attempt ${one.no}: no ${lacks.join(", no ")}`];
  });
}

/** 1 + 2 for each stream + batches + clicks + resumes + real crashes + failed boots. Source: A6. */
function tooManyOf({ id, changes, attempts, pressed }: Own, settings: BoundSettings): string[] {
  const failed = attempts.filter((one) => BOOT_FAILURES.includes(one.outcome ?? "")).length;
  const bound =
    1 + restartsFor(changes, settings) + pressed.clicks + pressed.resumes + pressed.deaths + failed;
  return attempts.length <= bound ? [] : [`${id}: ${attempts.length} attempts, at most ${bound}`];
}

function restartsFor(changes: readonly RecordedChange[], settings: BoundSettings): number {
  const batches = new Set(changes.filter((one) => one.isBatch).map((one) => one.gen)).size;
  const times = changes.map((one) => one.at).sort((a, b) => a - b);
  let restarts = 0;
  let beganAt = Number.NEGATIVE_INFINITY;
  let lastAt = Number.NEGATIVE_INFINITY;
  for (const at of times) {
    if (at - lastAt > settings.streamGapMs) {
      restarts += 2;
      beganAt = at;
    } else if (at - beganAt > settings.hardLimitMs) {
      restarts += 1;
      beganAt = at;
    }
    lastAt = at;
  }
  return restarts + batches;
}
