import { setMaxListeners } from "node:events";
import { DomainError } from "@molecule/domain/errors";
import { mayReplay, verdictOn } from "@molecule/domain/tunnel-faults";
import {
  decideConnection,
  decideSlot,
  idleLimitMs,
  leastRecentlyUsed,
  mayWarm,
  reconnectDelayMs,
  type TunnelSettings,
} from "@molecule/domain/tunnel-pool";
import type { Log } from "../runtime/log.ts";
import type { Stoppable } from "../runtime/scope.ts";
import { failureOf, TunnelError } from "./errors.ts";
import type { ConnectionWish, Lease } from "./lease.ts";
import { PoolCounts, type PoolStats } from "./pool-counts.ts";
import { type Entry, entryFacts, newEntry, newSlot, type Slot, slotFacts } from "./pool-entry.ts";
import type { Dialer, HeldPlace, Places, PooledConnection, Route } from "./pooled-connection.ts";
import { machineKeyOf, slotKeyOf, type TunnelTarget } from "./target.ts";
import { within } from "./within.ts";

/** What a pool is made of. */
export interface TunnelPoolOptions<R extends Route, C extends PooledConnection> {
  readonly dialer: Dialer<R, C>;
  readonly places: Places;
  readonly settings: TunnelSettings;
  readonly log: Log;
  /** In ms; default `performance.now`. */
  readonly nowMs?: () => number;
  /** In [0, 1); default `Math.random`. */
  readonly random?: () => number;
}

/** How a connection is made. */
interface MakeOptions {
  /** Whether an unused connection may be closed, or one waited for, where the endpoint is full. */
  readonly mayEvict: boolean;
  /** Hears whether a place is waited for. */
  readonly onFull?: (waits: boolean) => void;
}

/** Rebuilds that one caller causes at most. Source: lifecycle A8. */
const MAX_CONNECTS_PER_CALLER = 2;
/** Another worker frees a place without a word to this one. */
const PLACE_POLL_MS = 250;
const DRAIN_MS = 5_000;
const MAX_SWEEP_MS = 1_000;

/**
 * Connections to machines, one for each and shared by all who work on it. Every decision is made by
 * `decideSlot` and `decideConnection`; see {@link Slot} for the modes. A lease is single use and says
 * how it ended. Modes of the pool: open; stopping (nothing is given out, uses may end); stopped.
 */
export class TunnelPool<R extends Route, C extends PooledConnection> implements Stoppable {
  readonly counts = new PoolCounts();
  readonly #options: TunnelPoolOptions<R, C>;
  readonly #slots = new Map<string, Slot<C>>();
  /** Connections of one operation each, while pooling is switched off. */
  readonly #single = new Set<Entry<C>>();
  readonly #attempts = new Map<string, number>();
  readonly #leases = new Map<AbortController, { machine: string; attemptNo: number | null }>();
  /** Called when a use has ended or a place was freed. */
  readonly #onFreed = new Set<() => void>();
  /** Places in use by everybody, as the database said last. */
  readonly #usedAt = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #warming = 0;

  constructor(options: TunnelPoolOptions<R, C>) {
    this.#options = options;
    // Every wait of every caller listens to it.
    setMaxListeners(0, this.#stopping.signal);
    const { idleMs, hardAgeMs } = options.settings;
    const everyMs = Math.min(MAX_SWEEP_MS, Math.max(20, idleMs / 4), Math.max(20, hardAgeMs / 4));
    this.#timer = setInterval(() => this.#sweep(), everyMs);
    this.#timer.unref();
    options.places.onWanted((endpoint) => void this.#evictAt(endpoint));
  }

  /**
   * Runs `use` with a connection. When its connection fails by a retryable fault and `isIdempotent`, it is
   * run once more on a fresh one; `replays` says so. SPEC: TU8.
   */
  async run<T>(
    wish: ConnectionWish & { readonly isIdempotent: boolean },
    use: (connection: C, replays: number) => Promise<T>,
  ): Promise<T> {
    for (let replays = 0; ; replays += 1) {
      const lease = await this.acquire(wish);
      let error: unknown;
      try {
        const result = await use(lease.connection, replays);
        lease.release();
        return result;
      } catch (thrown) {
        error = thrown;
      }
      const failure = failureOf(error);
      lease.release(verdictOn(failure));
      const isRetryable = error instanceof TunnelError && error.isRetryable;
      const { isIdempotent } = wish;
      if (!mayReplay(failure, { isIdempotent, isRetryable, replays })) throw error;
      this.counts.add("replays");
    }
  }

  /**
   * A connection for a use of any length. SPEC: TU1, TU16.
   * @throws TunnelError and DomainError `superseded`.
   */
  async acquire(wish: ConnectionWish): Promise<Lease<C>> {
    const { settings } = this.#options;
    const startedAt = this.#now();
    this.#assertAttempt(machineKeyOf(wish.target), wish.attemptNo);
    if (settings.idleMs === 0) {
      const entry = await this.#make(wish.target, { mayEvict: true });
      this.#single.add(entry);
      return this.#lease(entry, wish);
    }
    for (let connects = 0; ; ) {
      this.#assertWanted(wish);
      const slot = this.#slotOf(wish.target);
      const decision = decideSlot(slotFacts(slot, settings, this.#now()));
      if (decision === "refuse") throw slot.lastFault ?? new TunnelError("peer-closed");
      if (decision === "use_and_renew") this.#connect(slot, { mayEvict: false });
      if (decision.startsWith("use") && slot.current !== null) {
        return this.#lease(slot.current, wish);
      }
      if (decision === "connect") {
        connects += 1;
        // What ends as soon as it is made is not made for ever.
        if (connects > MAX_CONNECTS_PER_CALLER) throw new TunnelError("peer-closed");
        this.#connect(slot, { mayEvict: true });
      }
      await this.#await(slot, startedAt, wish.signal);
    }
  }

  /** Makes a connection before it is asked for; false when it is not the time for that. SPEC: TU12. */
  async warm(wish: ConnectionWish & { readonly isRunning: boolean }): Promise<boolean> {
    const { settings } = this.#options;
    if (this.#stopping.signal.aborted) return false;
    const slot = this.#slotOf(wish.target);
    if (slot.current !== null) return true;
    const used = Math.max(this.#open(), ...this.#usedAt.values());
    const now = { used, warming: this.#warming, isRunning: wish.isRunning };
    if (slot.connecting !== null || !mayWarm(settings, now)) return false;
    if (decideSlot(slotFacts(slot, settings, this.#now())) !== "connect") return false;
    this.#assertAttempt(machineKeyOf(wish.target), wish.attemptNo);
    this.#warming += 1;
    this.#connect(slot, { mayEvict: false });
    try {
      await slot.connecting;
    } catch {
      return false;
    } finally {
      this.#warming -= 1;
    }
    return slot.current !== null;
  }

  /** Nobody is given the present connection any more; uses of it may end. */
  poison(target: TunnelTarget): void {
    const entry = this.#slots.get(slotKeyOf(target))?.current;
    if (entry !== null && entry !== undefined) this.#drain(entry);
  }

  /** A newer attempt has the machine: leases of older ones are told by their signal. SPEC: TU16. */
  supersede(machine: string, attemptNo: number): void {
    if (attemptNo <= (this.#attempts.get(machine) ?? 0)) return;
    this.#attempts.set(machine, attemptNo);
    for (const [controller, lease] of this.#leases) {
      const isOlder = lease.attemptNo !== null && lease.attemptNo < attemptNo;
      if (lease.machine === machine && isOlder) controller.abort(superseded());
    }
  }

  stats(): PoolStats {
    const entries = this.#entries();
    return {
      open: entries.length,
      idle: entries.filter(({ users, isDraining }) => users === 0 && !isDraining).length,
      draining: entries.filter(({ isDraining }) => isDraining).length,
      connecting: [...this.#slots.values()].filter(({ connecting }) => connecting !== null).length,
      cap: this.#options.settings.maxPerEndpoint,
      counts: this.counts.total,
    };
  }

  /** Gives nothing out any more, lets uses end for a while, and closes everything. */
  async stop(): Promise<void> {
    this.#stopping.abort(new TunnelError("pool-closed"));
    const until = this.#now() + DRAIN_MS;
    while (this.#entries().some(({ users }) => users > 0) && this.#now() < until) {
      await this.#freed(Math.max(1, until - this.#now()));
    }
    clearInterval(this.#timer);
    const connecting = [...this.#slots.values()].map(({ connecting }) => connecting);
    await Promise.allSettled(connecting);
    await Promise.all(this.#entries().map((entry) => this.#close(entry)));
  }

  #now(): number {
    return (this.#options.nowMs ?? performance.now.bind(performance))();
  }

  #slotOf(target: TunnelTarget): Slot<C> {
    const key = slotKeyOf(target);
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = newSlot<C>(key, target);
    this.#slots.set(key, slot);
    return slot;
  }

  #entries(): Entry<C>[] {
    const slots = [...this.#slots.values()];
    const pooled = slots.flatMap(({ current, draining }) =>
      current === null ? [...draining] : [current, ...draining],
    );
    return [...pooled, ...this.#single];
  }

  #open(): number {
    return this.#entries().length;
  }

  #assertWanted(wish: ConnectionWish): void {
    if (this.#stopping.signal.aborted) throw new TunnelError("pool-closed");
    wish.signal?.throwIfAborted();
  }

  #assertAttempt(machine: string, attemptNo: number | null): void {
    if (attemptNo === null) return;
    const newest = this.#attempts.get(machine) ?? 0;
    if (attemptNo < newest) throw superseded();
    this.supersede(machine, attemptNo);
  }

  /** Waits for what is being made, no longer than a caller may wait in all. */
  async #await(slot: Slot<C>, startedAt: number, signal: AbortSignal | undefined): Promise<void> {
    const { settings } = this.#options;
    if (slot.connecting === null) return;
    if (slot.waiters >= settings.maxWaiters) throw new TunnelError("pool-full");
    const leftMs = startedAt + settings.acquireTimeoutMs - this.#now();
    const since = this.#now();
    slot.waiters += 1;
    this.counts.add("waits");
    try {
      await within(slot.connecting, {
        ms: Math.max(0, leftMs),
        late: () => new TunnelError(slot.waitsForPlace ? "pool-full" : "handshake-timeout"),
        signal,
      });
    } finally {
      slot.waiters -= 1;
      this.counts.add("wait_ms", Math.round(this.#now() - since));
    }
  }

  /** Begins a connection that everybody of the slot waits for. The present one is used until it is there. */
  #connect(slot: Slot<C>, how: { readonly mayEvict: boolean }): void {
    const isRenewal = slot.current !== null;
    const onFull = (waits: boolean) => {
      slot.waitsForPlace = waits;
    };
    const work = this.#make(slot.target, { ...how, onFull }).then(
      (entry) => {
        const before = slot.current;
        slot.failures = 0;
        slot.lastFault = null;
        slot.current = entry;
        if (before !== null) {
          this.counts.add("renewals");
          slot.draining.add(before);
          this.#drain(before);
        }
        // It may have ended while it was handed over.
        if (entry.connection.fault !== null) this.#forget(entry);
      },
      (error: unknown) => {
        // A full endpoint is no failure of the machine; a renewal tries again a little later all the same.
        if (error instanceof TunnelError && (isRenewal || !isOfThePool(error))) {
          slot.failures += 1;
          slot.lastFault = error;
          slot.blockedUntil = this.#now() + reconnectDelayMs(this.#options.settings, slot.failures);
        }
        throw error;
      },
    );
    slot.connecting = work.finally(() => {
      slot.connecting = null;
    });
    // Those who wait hear of it; a renewal or a caller that has gone does not.
    slot.connecting.catch((error: unknown) => {
      this.#options.log.warn({ err: error, machine: slot.key }, "a connection was not made");
    });
  }

  async #make(target: TunnelTarget, how: MakeOptions): Promise<Entry<C>> {
    const { dialer, settings } = this.#options;
    const stopping = this.#stopping.signal;
    const late = () => new TunnelError("handshake-timeout");
    const step = <T>(work: (signal: AbortSignal) => Promise<T>, dispose?: (late: T) => void) => {
      const timeout = new AbortController();
      return within(work(AbortSignal.any([stopping, timeout.signal])), {
        ms: settings.connectTimeoutMs,
        late: () => {
          timeout.abort();
          return late();
        },
        signal: stopping,
        dispose,
      });
    };
    let place: HeldPlace | null = null;
    try {
      const route = await step((signal) => dialer.route(target, signal));
      const lost: { close: () => void } = { close: () => undefined };
      place = await this.#takePlace(route, target, { ...how, onLost: () => lost.close() });
      const connection = await step(
        (signal) => dialer.dial(target, route, signal),
        (unwanted) => void unwanted.close(),
      );
      this.counts.add("handshakes");
      const parts = { connection, place, endpoint: route.endpoint };
      const at = { now: this.#now(), random: (this.#options.random ?? Math.random)() };
      const entry = newEntry(parts, settings, at);
      lost.close = () => void this.#close(entry);
      void connection.ended.then(() => this.#forget(entry));
      return entry;
    } catch (error) {
      await place?.free().catch((err: unknown) => this.#options.log.warn({ err }, PLACE_STAYS));
      if (!(error instanceof TunnelError && isOfThePool(error))) {
        this.counts.add("failed_handshakes");
        dialer.forgetRoute(target);
      }
      throw error;
    }
  }

  /** A place of the endpoint: a free one, else that of an unused connection, else the next that is freed. */
  async #takePlace(
    { endpoint }: R,
    target: TunnelTarget,
    how: MakeOptions & { readonly onLost: () => void },
  ): Promise<HeldPlace> {
    const until = this.#now() + this.#options.settings.acquireTimeoutMs;
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      const { places } = this.#options;
      const { place, used } = await places.take(endpoint, machineKeyOf(target), how.onLost);
      this.#usedAt.set(endpoint, used);
      how.onFull?.(place === null);
      if (place !== null) return place;
      if (!how.mayEvict || this.#now() >= until) throw new TunnelError("pool-full");
      if (await this.#evictAt(endpoint)) continue;
      await this.#freed(Math.min(PLACE_POLL_MS, Math.max(1, until - this.#now())));
    }
  }

  /** Closes the connection of an endpoint that is unused for the longest time. SPEC: TU5. */
  async #evictAt(endpoint: string): Promise<boolean> {
    const now = this.#now();
    const candidates = this.#entries()
      .filter((entry) => entry.endpoint === endpoint && entry.closing === null)
      .map((entry) => ({ entry, users: entry.users, unusedMs: now - entry.freedAt }));
    const found = leastRecentlyUsed(candidates);
    if (found === undefined) return false;
    this.counts.add("evictions");
    await this.#close(found.entry);
    return true;
  }

  #lease(entry: Entry<C>, wish: ConnectionWish): Lease<C> {
    const machine = machineKeyOf(wish.target);
    const { attemptNo } = wish;
    const controller = new AbortController();
    entry.users += 1;
    this.#leases.set(controller, { machine, attemptNo });
    let isOver = false;
    const release = (verdict: "keep" | "poison" = "keep") => {
      if (isOver) throw new Error("invariant: a lease is released once");
      isOver = true;
      this.#leases.delete(controller);
      entry.users -= 1;
      entry.freedAt = this.#now();
      if (verdict === "poison" || this.#single.has(entry)) this.#drain(entry);
      else if (entry.isDraining && entry.users === 0) void this.#close(entry);
      this.#tellFreed();
    };
    return {
      connection: entry.connection,
      attemptNo,
      signal: controller.signal,
      endsAtMs: entry.bornAt + this.#options.settings.hardAgeMs,
      release,
      [Symbol.asyncDispose]: () => {
        if (!isOver) release();
        return Promise.resolve();
      },
    };
  }

  #drain(entry: Entry<C>): void {
    entry.isDraining = true;
    for (const slot of this.#slots.values()) {
      if (slot.current !== entry) continue;
      slot.current = null;
      slot.draining.add(entry);
    }
    if (entry.users === 0) void this.#close(entry);
  }

  /** Takes an ended connection out before anybody can be given it. */
  #forget(entry: Entry<C>): void {
    this.#takeOut(entry);
    void this.#close(entry);
  }

  #takeOut(entry: Entry<C>): void {
    for (const slot of this.#slots.values()) {
      if (slot.current === entry) slot.current = null;
      slot.draining.delete(entry);
    }
    this.#single.delete(entry);
  }

  /** Ends a connection, and gives its place back when the other side has let go. */
  #close(entry: Entry<C>): Promise<void> {
    entry.closing ??= (async () => {
      this.#takeOut(entry);
      await entry.connection.close();
      await entry.place
        .free()
        .catch((err: unknown) => this.#options.log.warn({ err }, PLACE_STAYS));
      this.#tellFreed();
    })();
    return entry.closing;
  }

  #sweep(): void {
    const { settings } = this.#options;
    const now = this.#now();
    for (const entry of this.#entries()) {
      const used = Math.max(this.#open(), this.#usedAt.get(entry.endpoint) ?? 0);
      const facts = entryFacts(entry, settings, now);
      const decision = decideConnection(facts, idleLimitMs(settings, used));
      if (decision === "close_idle") this.counts.add("idle_closes");
      if (decision !== "keep") void this.#close(entry);
    }
    for (const [key, slot] of this.#slots) {
      const isBusy = slot.current !== null || slot.connecting !== null || slot.draining.size > 0;
      if (!isBusy && slot.blockedUntil + settings.backoffMaxMs < now) this.#slots.delete(key);
    }
  }

  #tellFreed(): void {
    for (const listener of this.#onFreed) listener();
  }

  /** Resolves when something was freed or the time is over. */
  async #freed(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#onFreed.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#onFreed.add(end);
    });
  }
}

const PLACE_STAYS = "a place of an endpoint stays taken until its lease ends";

/** Faults that say nothing about the machine or the way to it. */
function isOfThePool(error: TunnelError): boolean {
  return error.fault === "pool-full" || error.fault === "pool-closed";
}

function superseded(): DomainError {
  return new DomainError("superseded", "The workspace has been started anew meanwhile.", {
    next: "Open it again.",
  });
}
