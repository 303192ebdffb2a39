"use client";
import { createContext, type ReactNode, useContext, useState, useSyncExternalStore } from "react";

const TICK_MS = 1_000;

/**
 * The server's time as this page knows it, and one shared tick.
 *
 * Idle: nobody is counting, no timer runs. Ticking: at least one subscriber; the time moves once a
 * second for all of them together.
 */
export class Clock {
  #offsetMs = 0;
  #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #tickMs = Date.now();

  /** Learns the difference between the server's clock and ours from an instant the server just said. */
  learn(serverTime: string): void {
    const at = Date.parse(serverTime);
    if (!Number.isNaN(at)) this.#offsetMs = at - Date.now();
  }

  /** The server's time now, in ms since the epoch. */
  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }

  /** Calls `listener` once a second until the returned function is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#timer === null) {
      this.#tickMs = this.nowMs();
      this.#timer = setInterval(() => {
        this.#tickMs = this.nowMs();
        for (const each of this.#listeners) each();
      }, TICK_MS);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0 && this.#timer !== null) {
        clearInterval(this.#timer);
        this.#timer = null;
      }
    };
  };

  /** The time of the last tick; the current time while nobody is counting, in whole seconds. */
  readonly snapshot = (): number => {
    if (this.#timer === null) this.#tickMs = Math.floor(this.nowMs() / TICK_MS) * TICK_MS;
    return this.#tickMs;
  };
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

/** The server's time in ms; moves once a second while `isCounting`, and never otherwise. */
export function useNow(isCounting = true): number {
  const clock = useClock();
  return useSyncExternalStore(isCounting ? clock.subscribe : never, clock.snapshot, () => 0);
}
