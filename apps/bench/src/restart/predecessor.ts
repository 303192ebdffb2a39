import { Agenda } from "../../../worker/src/restart/agenda.fixture.ts";
import { drawPace, type RunResult, type Scenario, type Script } from "./scenarios.ts";

/**
 * The predecessor's four restart algorithms, from their description in lifecycle A1 and A2 (nobody here
 * has read its source). `S0`: a second request is dropped while a restart runs. `S1`: it is remembered as
 * pending, and one more cycle follows. `S2`: S1, and whatever comes within 60 s of the last start's stamp
 * is dropped. `S3`: S2, of the files of 15 s only the first counts, and a cycle that drains what was pending
 * stamps anew.
 */
export const STRATEGIES = ["S0", "S1", "S2", "S3"] as const;
export type Strategy = (typeof STRATEGIES)[number];

const DROP_MS = 60_000;
const FILES_MS = 15_000;
const PROBE_EVERY_MS = 500;
/** Until a killed process is back and starts what does not run. */
const BACK_AFTER_MS = 5_000;

type Cause = "write" | "probe" | "click";

/** What one process remembers: gone with it. */
interface Memory {
  isRunning: boolean;
  pending: Cause | null;
  stampedAt: number;
  fileAt: number;
  /** Raised by a kill: cycles of the life before stop where they are. */
  life: number;
}

interface Instance {
  /** Writes that it was started with. */
  readonly snapshot: number;
  isStopped: boolean;
  liveAt: number;
}

/** One run of a scenario with a strategy, as kind to it as lifecycle A1 says. Deterministic. */
export function runStrategy(
  strategy: Strategy,
  scenario: Scenario,
  random: () => number,
): RunResult {
  return new Predecessor(strategy, scenario, random).run();
}

class Predecessor {
  readonly #strategy: Strategy;
  readonly #random: () => number;
  readonly #script: Script;
  readonly #agenda = new Agenda();
  readonly #processes: Memory[];
  readonly #instances: Instance[] = [];
  /** What the database says is running; what was started beside it is never found again. */
  #current: Instance;
  #now = 0;
  #written = 0;
  #restarts = 0;
  #byProbe = 0;
  #whileDown = 0;
  #hasClicked = false;

  constructor(strategy: Strategy, scenario: Scenario, random: () => number) {
    this.#strategy = strategy;
    this.#random = random;
    this.#script = scenario.play(random);
    this.#processes = Array.from({ length: scenario.processes }, () => ({
      isRunning: false,
      pending: null,
      stampedAt: Number.NEGATIVE_INFINITY,
      fileAt: Number.NEGATIVE_INFINITY,
      life: 0,
    }));
    this.#current = { snapshot: 0, isStopped: false, liveAt: Number.NEGATIVE_INFINITY };
    this.#instances.push(this.#current);
  }

  run(): RunResult {
    const { writes, probesFor, killAt } = this.#script;
    for (const { at, kind } of writes) this.#agenda.add(at, () => this.#write(kind));
    for (let at = PROBE_EVERY_MS; at < (probesFor ?? 0); at += PROBE_EVERY_MS) {
      this.#agenda.add(at, () => this.#probe());
    }
    if (killAt !== undefined) this.#agenda.add(killAt, () => this.#kill());
    for (let next = this.#agenda.nextAt; next !== null; next = this.#agenda.nextAt) {
      this.#now = next;
      for (const { run } of this.#agenda.takeUpTo(next)) void run();
    }
    const lost = Math.max(0, this.#written - this.#current.snapshot);
    const alive = this.#instances.filter((one) => !one.isStopped).length;
    return {
      restarts: this.#restarts,
      restartsByProbe: this.#byProbe,
      writes: this.#written,
      lost,
      isFinalCorrect: lost === 0 && !this.#current.isStopped,
      leaked: Math.max(0, alive - 1),
      writesWhileDown: this.#whileDown,
      liveAfterMs: this.#current.liveAt - Math.max(...writes.map(({ at }) => at)),
    };
  }

  #isDown(): boolean {
    return this.#current.isStopped || this.#current.liveAt > this.#now;
  }

  #write(kind: "file" | "secret"): void {
    this.#written += 1;
    if (this.#isDown()) this.#whileDown += 1;
    const process = this.#anyProcess();
    if (this.#strategy === "S3" && kind === "file") {
      if (this.#now < process.fileAt + FILES_MS) return;
      process.fileAt = this.#now;
    }
    this.#request(process, "write");
  }

  #probe(): void {
    if (!this.#isDown()) return;
    const process = this.#anyProcess();
    const isGated = this.#strategy === "S2" || this.#strategy === "S3";
    if (isGated && process.isRunning) return;
    this.#request(process, "probe");
  }

  #anyProcess(): Memory {
    const found = this.#processes[Math.floor(this.#random() * this.#processes.length)];
    if (found === undefined) throw new Error("invariant: there is a process");
    return found;
  }

  #request(process: Memory, cause: Cause): void {
    const drops = this.#strategy === "S2" || this.#strategy === "S3";
    if (drops && this.#now < process.stampedAt + DROP_MS) return;
    if (!process.isRunning) {
      process.isRunning = true;
      process.stampedAt = this.#now;
      this.#cycle(process, cause, () => this.#drained(process));
    } else if (this.#strategy !== "S0") {
      process.pending = cause;
    }
  }

  #drained(process: Memory): void {
    process.isRunning = false;
    const { pending } = process;
    if (pending === null) return;
    process.pending = null;
    process.isRunning = true;
    if (this.#strategy === "S3") process.stampedAt = this.#now;
    this.#cycle(process, pending, () => this.#drained(process));
  }

  /** Stop, then the start call; the boot goes on by itself. */
  #cycle(process: Memory, cause: Cause, done: () => void): void {
    this.#restarts += 1;
    if (cause === "probe") this.#byProbe += 1;
    this.#clickLater();
    const { life } = process;
    const goOn = (step: () => void) => () => {
      if (process.life === life) step();
    };
    const { stopMs, createMs, bootMs } = drawPace(this.#random, this.#script.boot);
    this.#current.isStopped = true;
    this.#agenda.add(
      this.#now + stopMs,
      goOn(() => {
        const made: Instance = {
          snapshot: this.#written,
          isStopped: true,
          liveAt: this.#now + createMs + bootMs,
        };
        // The machine is there when half of the call is over, and recorded at its end.
        this.#agenda.add(
          this.#now + createMs / 2,
          goOn(() => {
            made.isStopped = false;
            this.#instances.push(made);
          }),
        );
        this.#agenda.add(
          this.#now + createMs,
          goOn(() => {
            this.#current = made;
            done();
          }),
        );
      }),
    );
  }

  /** The person's restart goes past the gate, into a cycle of its own. */
  #clickLater(): void {
    const { clickAfterRestart } = this.#script;
    if (clickAfterRestart === undefined || this.#hasClicked) return;
    this.#hasClicked = true;
    this.#agenda.add(this.#now + clickAfterRestart, () =>
      this.#cycle(this.#anyProcess(), "click", () => undefined),
    );
  }

  /** All memory is gone; the process that comes back starts what does not run. */
  #kill(): void {
    for (const process of this.#processes) {
      process.life += 1;
      process.isRunning = false;
      process.pending = null;
      process.stampedAt = Number.NEGATIVE_INFINITY;
      process.fileAt = Number.NEGATIVE_INFINITY;
    }
    this.#agenda.add(this.#now + BACK_AFTER_MS, () => {
      if (this.#current.isStopped) this.#request(this.#anyProcess(), "write");
    });
  }
}
