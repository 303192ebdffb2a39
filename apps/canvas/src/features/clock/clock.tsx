"use client";
import { createContext, type ReactNode, useContext, useState, useSyncExternalStore } from "react";

const SECOND_MS = 1_000;
/** Fine enough for "3 min ago". */
const COARSE_MS = 20_000;

/**
 * One shared timer for everything that shows a moving time.
 *
 * Idle: nobody subscribes and no timer runs. Ticking: at least one subscriber; all of them move together
 * once per period.
 */
class Ticker {
  readonly #periodMs: number;
  readonly #nowMs: () => number;
  #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #tickMs = 0;

  constructor(periodMs: number, nowMs: () => number) {
    this.#periodMs = periodMs;
    this.#nowMs = nowMs;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#timer === null) {
      this.#tickMs = this.#nowMs();
      this.#timer = setInterval(() => {
        this.#tickMs = this.#nowMs();
        for (const each of this.#listeners) each();
      }, this.#periodMs);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0 && this.#timer !== null) {
        clearInterval(this.#timer);
        this.#timer = null;
      }
    };
  };

  /** The time of the last tick; while idle the current time, rounded so that it holds still in a render. */
  readonly snapshot = (): number => {
    if (this.#timer === null) this.#tickMs = Math.floor(this.#nowMs() / SECOND_MS) * SECOND_MS;
    return this.#tickMs;
  };
}

/** The server's time as this page knows it. */
export class Clock {
  #offsetMs = 0;
  readonly seconds = new Ticker(SECOND_MS, () => this.nowMs());
  readonly minutes = new Ticker(COARSE_MS, () => this.nowMs());

  /** Learns the difference between the server's clock and ours from an instant the server just said. */
  learn(serverTime: string): void {
    const at = Date.parse(serverTime);
    if (!Number.isNaN(at)) this.#offsetMs = at - Date.now();
  }

  /** The server's time now, in ms since the epoch. */
  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }
}

const ClockContext = createContext<Clock | null>(null);

/** Provides one clock to the page. */
export function ClockProvider({ children }: { children: ReactNode }) {
  const [clock] = useState(() => new Clock());
  return <ClockContext value={clock}>{children}</ClockContext>;
}

/** The page's clock. */
export function useClock(): Clock {
  const clock = useContext(ClockContext);
  if (clock === null) throw new Error("useClock needs a ClockProvider above it");
  return clock;
}

const never = () => () => {};
const atPrerender = () => 0;

/** The server's time in ms; moves once a second while `isCounting`, and never otherwise. */
export function useNow(isCounting = true): number {
  const { seconds } = useClock();
  return useSyncExternalStore(
    isCounting ? seconds.subscribe : never,
    seconds.snapshot,
    atPrerender,
  );
}

/** The server's time in ms; moves three times a minute. For "3 min ago". */
export function useCoarseNow(): number {
  const { minutes } = useClock();
  return useSyncExternalStore(minutes.subscribe, minutes.snapshot, atPrerender);
}
