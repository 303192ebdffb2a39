import type { LoopAge } from "@molecule/db/processes/loop-ticks";

/** One loop, by the process that ended a round of it last. Source: wire contract §17. */
interface Subsystem {
  readonly last_tick_at: string;
  readonly seconds_ago: number;
  /** How long it waits between two rounds. */
  readonly every_seconds: number;
  readonly processes: number;
}

/** What `/admin/liveness` answers. */
export interface LivenessView {
  /** By `<kind>.<loop>`, such as `worker.reconciler`: somebody does this work, or since when nobody. */
  readonly subsystems: Readonly<Record<string, Subsystem>>;
  /** The same of each process: one that hangs is seen beside one that works. */
  readonly processes: readonly {
    readonly id: string;
    readonly kind: LoopAge["processKind"];
    readonly loops: Readonly<
      Record<string, { readonly last_tick_at: string; readonly seconds_ago: number }>
    >;
  }[];
}

/** The ages of all loops as an operator reads them. */
export function viewLiveness(ages: readonly LoopAge[]): LivenessView {
  const byLoop = grouped(ages, ({ processKind, loop }) => `${processKind}.${loop}`);
  const byProcess = grouped(ages, ({ processId }) => processId);
  return {
    subsystems: Object.fromEntries(
      [...byLoop].map(([name, own]) => {
        const last = own.reduce((a, b) => (b.secondsAgo < a.secondsAgo ? b : a));
        return [
          name,
          { ...ageOf(last), every_seconds: last.everyMs / 1000, processes: own.length },
        ];
      }),
    ),
    processes: [...byProcess].map(([id, own]) => ({
      id,
      kind: own[0]?.processKind ?? "server",
      loops: Object.fromEntries(own.map((age) => [age.loop, ageOf(age)])),
    })),
  };
}

function grouped(ages: readonly LoopAge[], keyOf: (age: LoopAge) => string) {
  const groups = new Map<string, LoopAge[]>();
  for (const age of ages) {
    const key = keyOf(age);
    groups.set(key, [...(groups.get(key) ?? []), age]);
  }
  return groups;
}

function ageOf({ lastTickAt, secondsAgo }: LoopAge) {
  return { last_tick_at: lastTickAt.toISOString(), seconds_ago: secondsAgo };
}
