import type { Database } from "@molecule/db/database";
import type { Pulse } from "@molecule/db/processes/pulse";
import { countTunnels } from "@molecule/db/tunnels/tunnel-counts";
import {
  freePlace,
  renewPlaces,
  type TunnelPlace,
  takePlace,
} from "@molecule/db/tunnels/tunnel-places";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";
import type { PoolCounts } from "./pool-counts.ts";
import type { HeldPlace, Places } from "./pooled-connection.ts";

/** What places are leased with. */
export interface PlaceLeasesOptions {
  readonly db: Database;
  /** Id of this worker. */
  readonly holder: string;
  /** Open connections per endpoint over all workers. */
  readonly cap: number;
  /** Default 20 000 ms: what a worker that was killed leaves taken. */
  readonly leaseMs?: number;
  /** Default 5 000 ms. */
  readonly renewEveryMs?: number;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

const LEASE_MS = 20_000;
const RENEW_EVERY_MS = 5_000;

/**
 * Places of endpoints as leased rows, so that all workers together keep to the cap. One statement prolongs
 * all of a worker's; who finds a row taken closes its connection. SPEC: TU15.
 */
export class PlaceLeases implements Places, Stoppable {
  readonly #options: PlaceLeasesOptions;
  readonly #leaseMs: number;
  readonly #held = new Map<string, () => void>();
  readonly #loop: RunLoop;
  #counts: PoolCounts | null = null;
  #onWanted: (endpoint: string) => void = () => undefined;

  constructor(options: PlaceLeasesOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#loop = new RunLoop({
      name: "tunnel places",
      everyMs: options.renewEveryMs ?? RENEW_EVERY_MS,
      run: () => this.#renew(),
      pulse: options.pulse,
      log: options.log,
    });
  }

  /** What these count is written down with the leases. */
  report(counts: PoolCounts): void {
    this.#counts = counts;
  }

  onWanted(listener: (endpoint: string) => void): void {
    this.#onWanted = listener;
  }

  async take(
    endpoint: string,
    machine: string,
    onLost: () => void,
  ): Promise<{ readonly place: HeldPlace | null; readonly used: number }> {
    const { db, holder, cap } = this.#options;
    const wish = { endpoint, machine, holder, cap, leaseMs: this.#leaseMs };
    const { place, used } = await takePlace(db, wish);
    if (place === null) return { place: null, used };
    this.#held.set(place.leaseId, onLost);
    return { place: { free: () => this.#free(place) }, used };
  }

  /** The pool has to be stopped before: what is held still is prolonged no more. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#tellCounts();
  }

  async #free(place: TunnelPlace): Promise<void> {
    this.#held.delete(place.leaseId);
    await freePlace(this.#options.db, place);
  }

  async #renew(): Promise<void> {
    await this.#tellCounts();
    const before = [...this.#held];
    if (before.length === 0) return;
    const { db, holder } = this.#options;
    const { held, wanted } = await renewPlaces(db, holder, this.#leaseMs);
    for (const [leaseId, onLost] of before) {
      if (held.has(leaseId) || !this.#held.delete(leaseId)) continue;
      this.#options.log.warn({ leaseId }, "a place of an endpoint is another worker's by now");
      onLost();
    }
    for (const endpoint of wanted) this.#onWanted(endpoint);
  }

  async #tellCounts(): Promise<void> {
    if (this.#counts !== null) await countTunnels(this.#options.db, this.#counts.takeFresh());
  }
}
