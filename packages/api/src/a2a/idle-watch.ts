import type { Queryable } from "@molecule/db/database";
import { readLiveness } from "@molecule/db/registry/liveness";

/** What a watch looks at. */
export interface IdleWatchOptions {
  readonly db: Queryable;
  readonly workspaceId: string;
  /** Silence after which the watch gives up, in ms. */
  readonly idleMs: number;
  /** The last beat when the watch begins; null when there was none. */
  readonly lastHeartbeatAt: Date | null;
  /** Called once, when neither bytes nor beats came for that long. */
  readonly onSilence: () => void;
}

/**
 * Waits for silence. Bytes of the answer re-arm it at once; beats are looked up only when the timer
 * fires, so that a heartbeat costs a dispatch nothing. A database that cannot be asked is no silence.
 */
export class IdleWatch {
  readonly #options: IdleWatchOptions;
  #timer: NodeJS.Timeout | null = null;
  #lastBeat: number | null;
  #hasMoved = false;

  constructor(options: IdleWatchOptions) {
    this.#options = options;
    this.#lastBeat = options.lastHeartbeatAt?.getTime() ?? null;
    this.#arm();
  }

  /** A byte came. */
  touch(): void {
    this.#hasMoved = true;
  }

  /** Ends the watch; `onSilence` is not called any more. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      this.#look().catch(() => this.#arm());
    }, this.#options.idleMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const armedTimer = this.#timer;
    const beat = (await readLiveness(this.#options.db, this.#options.workspaceId))?.lastHeartbeatAt;
    const beatAt = beat?.getTime() ?? null;
    const isSilent = !this.#hasMoved && beatAt === this.#lastBeat;
    this.#hasMoved = false;
    this.#lastBeat = beatAt;
    if (this.#timer === null || this.#timer !== armedTimer) return;
    if (isSilent) this.#options.onSilence();
    else this.#arm();
  }
}
