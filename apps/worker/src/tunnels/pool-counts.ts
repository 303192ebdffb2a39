import { TUNNEL_COUNTS, type TunnelCount } from "@molecule/domain/sets";

/** What a pool does, counted. */
export class PoolCounts {
  readonly #total = zero();
  #fresh = zero();

  add(name: TunnelCount, n = 1): void {
    this.#total[name] += n;
    this.#fresh[name] += n;
  }

  /** Since the pool began. */
  get total(): Readonly<Record<TunnelCount, number>> {
    return { ...this.#total };
  }

  /** Since it was taken last. */
  takeFresh(): Readonly<Record<TunnelCount, number>> {
    const fresh = this.#fresh;
    this.#fresh = zero();
    return fresh;
  }
}

function zero(): Record<TunnelCount, number> {
  return Object.fromEntries(TUNNEL_COUNTS.map((name) => [name, 0])) as Record<TunnelCount, number>;
}

/** What is open at the moment, and what was done so far. */
export interface PoolStats {
  readonly open: number;
  readonly idle: number;
  readonly draining: number;
  readonly connecting: number;
  readonly cap: number;
  readonly counts: PoolCounts["total"];
}
