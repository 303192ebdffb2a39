import { type CronExpression, plainCron } from "@molecule/domain/cron";
import { Cron } from "croner";

/** How far from a change of the clocks the times of a schedule are looked at one by one, in ms. */
const NEAR_MS = 3 * 3_600_000;
const DAY_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;

/** Is this the name of a time zone (IANA), and no offset such as "+02:00"? */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).format(0) !== "";
  } catch {
    return false;
  }
}

/**
 * The times of a schedule in its time zone. The calendar (which days, which dates never come) is
 * croner's, walked in UTC as if it were the clock on the wall; what the wall's clock says at an instant
 * is Intl's. A schedule that names hours runs once a day for each: a time that the clocks jump over comes
 * when they have jumped, one that they repeat comes the first time. A schedule of every hour goes by the
 * time that passes. SPEC: SC2 to SC4.
 */
export class RunTimes {
  readonly #calendar: Cron;
  readonly #wall: Intl.DateTimeFormat;
  readonly #isEveryHour: boolean;

  /** `timeZone` must be one ({@link isTimeZone}). @throws RangeError when it is none. */
  constructor(cron: CronExpression, timeZone: string) {
    this.#calendar = new Cron(plainCron(cron), { mode: "5-part", utcOffset: 0, paused: true });
    this.#isEveryHour = cron.hour.values.length === 24;
    this.#wall = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** The first time after `instant`, never `instant` itself; null when none comes. */
  after(instant: Date): Date | null {
    const from = instant.getTime();
    const at = this.#isEveryHour ? this.#byTimePassed(from) : this.#byWall(from);
    return at === null ? null : new Date(at);
  }

  /** How many times come after `from` and not after `until`; counted up to `max`. */
  countBetween(from: Date, until: Date, max: number): number {
    let count = 0;
    let at = this.after(from);
    while (at !== null && at.getTime() <= until.getTime() && count < max) {
      count += 1;
      at = this.after(at);
    }
    return count;
  }

  /** Every hour of the time that passes: what the clocks jump over is not there, what they repeat is. */
  #byTimePassed(instant: number): number | null {
    let from = instant;
    for (;;) {
      // Just before a change the clocks are set as after it: from there on they count.
      const offset = this.#offsetAt(from + 1);
      const wall = this.#nextWall(from + offset);
      if (wall === null) return null;
      const change = this.#firstChange(from + 1, wall - offset);
      if (change === null) return wall - offset;
      from = change - 1;
    }
  }

  /** The first instant after `from` and not after `until` at which the clocks change; null without one. */
  #firstChange(from: number, until: number): number | null {
    const offset = this.#offsetAt(from);
    for (let low = from; low < until; low += DAY_MS) {
      const high = Math.min(low + DAY_MS, until);
      if (this.#offsetAt(high) !== offset) return this.#endOfGap(low, high);
    }
    return null;
  }

  #byWall(from: number): number | null {
    const offset = this.#offsetAt(from);
    const wall = this.#nextWall(from + offset);
    if (wall === null) return null;
    const found = wall - offset;
    const isPlain = this.#isSteady(from, offset) && this.#isSteady(found, offset);
    return isPlain ? found : this.#search(from);
  }

  /** Around a change of the clocks the order on the wall is not the order of time. */
  #search(from: number): number | null {
    let wall = this.#nextWall(from + this.#offsetAt(from) - NEAR_MS);
    while (wall !== null) {
      const at = this.#firstInstantOf(wall);
      if (at > from) return at;
      wall = this.#nextWall(wall);
    }
    return null;
  }

  /** When the clock on the wall first shows this, or has jumped over it. Grows with `wall`. */
  #firstInstantOf(wall: number): number {
    const before = wall - this.#offsetAt(wall - DAY_MS);
    const after = wall - this.#offsetAt(wall + DAY_MS);
    const [low, high] = [Math.min(before, after), Math.max(before, after)];
    const shown = [low, high].find((at) => at + this.#offsetAt(at) === wall);
    return shown ?? this.#endOfGap(low, high);
  }

  /** The first instant with the clocks set as at `high`; they change on a whole minute. */
  #endOfGap(low: number, high: number): number {
    const after = this.#offsetAt(high);
    let [from, to] = [Math.floor(low / MINUTE_MS), Math.ceil(high / MINUTE_MS)];
    while (to - from > 1) {
      const middle = Math.floor((from + to) / 2);
      if (this.#offsetAt(middle * MINUTE_MS) === after) to = middle;
      else from = middle;
    }
    return to * MINUTE_MS;
  }

  #isSteady(at: number, offset: number): boolean {
    return [-NEAR_MS, 0, NEAR_MS].every((far) => this.#offsetAt(at + far) === offset);
  }

  /** The next time on the wall's clock, as if that clock were UTC; null when none comes. */
  #nextWall(wall: number): number | null {
    return this.#calendar.nextRun(new Date(wall))?.getTime() ?? null;
  }

  /** What the clock on the wall is ahead of UTC, in ms. */
  #offsetAt(at: number): number {
    const shown = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of this.#wall.formatToParts(at)) {
      if (type in shown) shown[type as keyof typeof shown] = Number(value);
    }
    const { year, month, day, hour, minute, second } = shown;
    const wall = Date.UTC(year, month - 1, day, hour, minute, second);
    return wall - Math.floor(at / 1_000) * 1_000;
  }
}
