import type { TurnWatcher } from "./a2a/turn-executor.ts";
import type { TurnEnd } from "./agent-adapter.ts";
import type { Log } from "./log.ts";
import type { LifeSign, PlatformClient, Registration } from "./platform-client.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { within } from "./within.ts";

/** Why this instance must end although nobody stopped it. */
export type Dismissal = "superseded" | "removed";

/** What presence needs. */
export interface PresenceDeps {
  readonly client: PlatformClient;
  readonly registration: Registration;
  readonly log: Log;
  /** Called once when the platform says that this instance is not wanted any more. */
  readonly dismissed: (why: Dismissal) => void;
  /** Time between beats in ms; default 30 000. Source: wire contract §5.4. */
  readonly beatEveryMs?: number | undefined;
}

/** What a beat says; only what differs from the last accepted one is sent. */
interface Vitals {
  readonly active_tasks: number;
  readonly current_task: string;
  readonly error_rate: number;
  readonly sample_error: string;
  readonly runtime_state: string;
}

/** What a platform takes an agent for that has said nothing yet. */
const IDLE: Vitals = {
  active_tasks: 0,
  current_task: "",
  error_rate: 0,
  sample_error: "",
  runtime_state: "",
};

const BEAT_EVERY_MS = 30_000;
/** Changes within a turn are told at most this often, in ms. */
const MIN_BETWEEN_EXTRA_MS = 1_000;
const RETRY = { baseMs: 250, capMs: 15_000 };
/** Turns that the error rate looks back on. */
const REMEMBERED_TURNS = 10;
/** One failed turn alone is not yet a trend. */
const MIN_REMEMBERED_TURNS = 3;
const MAX_TASK_LENGTH = 200;

/**
 * Keeps the platform informed that this instance lives and what it does: registers, beats at once,
 * then every 30 s and whenever a turn begins or ends. A failure is tried again for ever, ever more
 * slowly; only `superseded` and `removed` end it.
 *
 * Modes: registering (until accepted) → beating (until stopped or dismissed). One call is under way
 * at a time; what changes meanwhile goes out with the next one.
 */
export class Presence implements TurnWatcher {
  readonly #deps: PresenceDeps;
  readonly #startedAt = performance.now();
  readonly #doing = new Map<object, string>();
  #outcomes: readonly boolean[] = [];
  #sampleError = "";
  #isWedged = false;
  /** What the platform is known to hold. Nothing is known while a beat is under way or has failed. */
  #accepted: Partial<Vitals> = IDLE;
  #wake: (() => void) | undefined;
  #isBeatDue = false;
  #lastBeatAt = Number.NEGATIVE_INFINITY;
  #extraTimer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #loop: Promise<void> | undefined;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
  }

  /** Begins to register; returns at once. */
  start(): void {
    this.#loop ??= this.#run();
  }

  turnStarted(title: string): { doing: (text: string) => void; ended: (end: TurnEnd) => void } {
    const turn = {};
    this.#doing.set(turn, title);
    this.#beatNow();
    return {
      doing: (text) => {
        this.#doing.set(turn, text);
        this.#beatSoon();
      },
      ended: (end) => {
        this.#doing.delete(turn);
        this.#remember(end);
        this.#beatNow();
      },
    };
  }

  /**
   * Sends one last, complete beat that says the agent is idle, and nothing afterwards. A call that is under way
   * has half of `deadlineMs` to end, so that it does not arrive after the goodbye.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#extraTimer);
    this.#wake?.();
    if (this.#loop === undefined) return;
    await within(deadlineMs / 2, this.#loop);
    this.#doing.clear();
    this.#accepted = {};
    await this.#deps.client.heartbeat(this.#beatBody(), deadlineMs / 2);
  }

  async #run(): Promise<void> {
    if (
      !(await this.#until("register", () => this.#deps.client.register(this.#deps.registration)))
    ) {
      return;
    }
    this.#deps.log.info("registered");
    this.#isBeatDue = true;
    while (!this.#isStopped) {
      if (!this.#isBeatDue) await this.#pause(this.#deps.beatEveryMs ?? BEAT_EVERY_MS);
      this.#isBeatDue = false;
      if (!(await this.#until("beat", () => this.#beat()))) return;
    }
  }

  /** Tries until accepted; false when stopped or dismissed. */
  async #until(what: string, attempt: () => Promise<LifeSign>): Promise<boolean> {
    for (let failures = 0; !this.#isStopped; ) {
      const sign = await attempt();
      if (this.#isStopped) return false;
      switch (sign.kind) {
        case "ok":
          return true;
        case "superseded":
        case "removed":
          this.#isStopped = true;
          this.#deps.dismissed(sign.kind);
          return false;
        case "failed":
          failures += 1;
          this.#deps.log.warn(`could not ${what}`, {
            status: sign.status,
            sentence: sign.sentence,
            failures,
          });
          await this.#pause(retryDelayMs(failures, RETRY, Math.random()));
      }
    }
    return false;
  }

  async #beat(): Promise<LifeSign> {
    const vitals = this.#vitals();
    const body = this.#beatBody();
    this.#lastBeatAt = performance.now();
    // A failed call may have arrived all the same.
    this.#accepted = {};
    const sign = await this.#deps.client.heartbeat(body);
    if (sign.kind === "ok") this.#accepted = vitals;
    return sign;
  }

  #beatBody(): { active_tasks: number; uptime_seconds: number } & Partial<Vitals> {
    const vitals = this.#vitals();
    const changed = Object.fromEntries(
      Object.entries(vitals).filter(
        ([key, value]) => this.#accepted[key as keyof Vitals] !== value,
      ),
    );
    const uptime_seconds = Math.floor((performance.now() - this.#startedAt) / 1000);
    return { ...changed, active_tasks: vitals.active_tasks, uptime_seconds };
  }

  #vitals(): Vitals {
    const failures = this.#outcomes.filter((isGood) => !isGood).length;
    return {
      active_tasks: this.#doing.size,
      current_task: ([...this.#doing.values()].at(-1) ?? "").slice(0, MAX_TASK_LENGTH),
      error_rate: failures / Math.max(MIN_REMEMBERED_TURNS, this.#outcomes.length),
      sample_error: failures === 0 ? "" : this.#sampleError,
      runtime_state: this.#isWedged ? "wedged" : "",
    };
  }

  #remember(end: TurnEnd): void {
    if (end.outcome === "cancelled") return;
    const isGood = end.outcome === "completed";
    this.#outcomes = [...this.#outcomes, isGood].slice(-REMEMBERED_TURNS);
    if (end.outcome === "failed") this.#sampleError = end.sentence.slice(0, 1000);
    this.#isWedged = end.outcome === "failed" && end.isCredentials;
  }

  #beatNow(): void {
    clearTimeout(this.#extraTimer);
    this.#extraTimer = undefined;
    this.#isBeatDue = true;
    this.#wake?.();
  }

  #beatSoon(): void {
    if (this.#extraTimer !== undefined || this.#isStopped) return;
    const since = performance.now() - this.#lastBeatAt;
    this.#extraTimer = setTimeout(() => this.#beatNow(), Math.max(0, MIN_BETWEEN_EXTRA_MS - since));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#wake = end;
    });
  }
}
