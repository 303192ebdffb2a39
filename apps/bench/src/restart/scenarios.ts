/** One write of a script. */
export interface ScriptedWrite {
  /** Ms after the beginning. */
  readonly at: number;
  readonly kind: "file" | "secret";
  /** A save of so many files at once. Default 1. */
  readonly files?: number;
}

/** What happens to one workspace that runs and has nothing pending. Times in ms. */
export interface Script {
  readonly writes: readonly ScriptedWrite[];
  /** A person clicks Restart so long after the first restart has begun. */
  readonly clickAfterRestart?: number;
  /** Two probes a second report an agent that does not answer, for so long. */
  readonly probesFor?: number;
  /** The process that restarts is killed then. */
  readonly killAt?: number;
  /** How long an agent boots, least and most. */
  readonly boot: readonly [number, number];
}

/** A scenario of the lifecycle's table A1, with what its row is about. */
export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** API processes, each with its own memory; ours has as many workers. */
  readonly processes: 1 | 2;
  /** One run of it, from a generator of numbers in [0, 1). */
  readonly play: (random: () => number) => Script;
}

const BOOT = [20_000, 30_000] as const;
const SLOW_BOOT = [70_000, 120_000] as const;

const between = (random: () => number, from: number, to: number) =>
  Math.round(from + random() * (to - from));

/** 17 files within a minute, the first at 0 so that later times count from it. */
function burst(random: () => number): ScriptedWrite[] {
  const times = Array.from({ length: 17 }, () => between(random, 0, 60_000)).sort((a, b) => a - b);
  const first = times[0] ?? 0;
  return times.map((at) => ({ at: at - first, kind: "file" }));
}

/** A key and then a model, so long after it. */
function keyThenModel(random: () => number, from: number, to: number): ScriptedWrite[] {
  return [
    { at: 0, kind: "secret" },
    { at: between(random, from, to), kind: "secret" },
  ];
}

/** Scenarios A to L of lifecycle A1; there is no I. */
export const SCENARIOS: readonly Scenario[] = [
  {
    id: "A",
    title: "17 file writes over 60 s",
    processes: 1,
    play: (random) => ({ writes: burst(random), boot: BOOT }),
  },
  {
    id: "B",
    title: "the same and one write at T+65 s",
    processes: 1,
    play: (random) => ({ writes: [...burst(random), { at: 65_000, kind: "file" }], boot: BOOT }),
  },
  {
    id: "C",
    title: "key, model 0.05 to 0.5 s later",
    processes: 1,
    play: (random) => ({ writes: keyThenModel(random, 50, 500), boot: BOOT }),
  },
  {
    id: "C2",
    title: "key, model 0.05 to 10 s later",
    processes: 1,
    play: (random) => ({ writes: keyThenModel(random, 50, 10_000), boot: BOOT }),
  },
  {
    id: "D",
    title: "key, model 8 to 50 s later",
    processes: 1,
    play: (random) => ({ writes: keyThenModel(random, 8_000, 50_000), boot: BOOT }),
  },
  {
    id: "E",
    title: "one secret, 2 probes/s for 240 s",
    processes: 1,
    play: () => ({ writes: [{ at: 0, kind: "secret" }], probesFor: 240_000, boot: BOOT }),
  },
  {
    id: "F",
    title: "the same for 900 s, boot 70 to 120 s",
    processes: 1,
    play: () => ({ writes: [{ at: 0, kind: "secret" }], probesFor: 900_000, boot: SLOW_BOOT }),
  },
  {
    id: "G",
    title: "a write every 4 s for 5 min",
    processes: 1,
    play: () => ({
      writes: Array.from({ length: 75 }, (_, n) => ({ at: n * 4_000, kind: "file" as const })),
      boot: BOOT,
    }),
  },
  {
    id: "H",
    title: "A with two processes",
    processes: 2,
    play: (random) => ({ writes: burst(random), boot: BOOT }),
  },
  {
    id: "J",
    title: "key, model, kill -9 within 12 s",
    processes: 1,
    play: (random) => ({
      writes: keyThenModel(random, 50, 500),
      killAt: between(random, 500, 12_000),
      boot: BOOT,
    }),
  },
  {
    id: "K",
    title: "a click 0.5 to 25 s into a restart",
    processes: 1,
    play: (random) => ({
      writes: [{ at: 0, kind: "secret" }],
      clickAfterRestart: between(random, 500, 25_000),
      boot: BOOT,
    }),
  },
  {
    id: "L",
    title: "one file saved",
    processes: 1,
    play: () => ({ writes: [{ at: 0, kind: "file" }], boot: BOOT }),
  },
];

/** How long one attempt takes, in ms: ending the last one, the start call, the boot. */
export function drawPace(random: () => number, [least, most]: readonly [number, number]) {
  return {
    stopMs: between(random, 2_000, 6_000),
    createMs: between(random, 700, 3_000),
    bootMs: between(random, least, most),
  };
}

/** What one run came to. */
export interface RunResult {
  readonly restarts: number;
  readonly restartsByProbe: number;
  readonly writes: number;
  /** Acknowledged writes that the agent does not run with at rest. */
  readonly lost: number;
  /** At rest the platform says that the newest generation is applied, and it is. */
  readonly isFinalCorrect: boolean;
  /** Instances beyond the one that is wanted. */
  readonly leaked: number;
  /** Writes that came while no agent was there. */
  readonly writesWhileDown: number;
  /** From the last write until an agent is there for good, in ms. */
  readonly liveAfterMs: number;
}
