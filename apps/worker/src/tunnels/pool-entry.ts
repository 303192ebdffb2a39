import {
  type ConnectionFacts,
  jitteredAgeMs,
  type SlotFacts,
  type TunnelSettings,
} from "@molecule/domain/tunnel-pool";
import type { TunnelError } from "./errors.ts";
import type { HeldPlace, PooledConnection } from "./pooled-connection.ts";
import type { TunnelTarget } from "./target.ts";

/** A connection with what the pool knows of it. Times are of the pool's clock, in ms. */
export interface Entry<C extends PooledConnection> {
  readonly connection: C;
  readonly place: HeldPlace;
  readonly endpoint: string;
  readonly bornAt: number;
  readonly softAgeMs: number;
  users: number;
  /** When the last use ended. */
  freedAt: number;
  /** Another has its place, or nobody may have it: it ends with its last use. */
  isDraining: boolean;
  /** Counted off once, when its place is free again. */
  closing: Promise<void> | null;
}

/**
 * All connections of one machine and user. Modes, by what it has:
 * EMPTY: nothing. CONNECTING: `connecting`, for all who wait. READY: `current`; with `connecting` as
 * well the next one is being made. DRAINING: entries of `draining`, beside any other mode. BACKOFF:
 * `blockedUntil` has not come, and `lastFault` is the answer. DEAD is left at once: an ended connection
 * is taken out of `current` before anybody can see it.
 */
export interface Slot<C extends PooledConnection> {
  readonly key: string;
  readonly target: TunnelTarget;
  current: Entry<C> | null;
  readonly draining: Set<Entry<C>>;
  connecting: Promise<void> | null;
  /** The endpoint is full, and `connecting` waits for a place of it. */
  waitsForPlace: boolean;
  /** Callers that wait for `connecting`. */
  waiters: number;
  /** In a row. */
  failures: number;
  blockedUntil: number;
  lastFault: TunnelError | null;
}

export function newSlot<C extends PooledConnection>(key: string, target: TunnelTarget): Slot<C> {
  return {
    key,
    target,
    current: null,
    draining: new Set(),
    connecting: null,
    waitsForPlace: false,
    waiters: 0,
    failures: 0,
    blockedUntil: Number.NEGATIVE_INFINITY,
    lastFault: null,
  };
}

export function newEntry<C extends PooledConnection>(
  parts: Pick<Entry<C>, "connection" | "place" | "endpoint">,
  settings: TunnelSettings,
  at: { readonly now: number; readonly random: number },
): Entry<C> {
  return {
    ...parts,
    bornAt: at.now,
    softAgeMs: jitteredAgeMs(settings.softAgeMs, at.random),
    users: 0,
    freedAt: at.now,
    isDraining: false,
    closing: null,
  };
}

/** What a caller's turn is decided by. */
export function slotFacts<C extends PooledConnection>(
  slot: Slot<C>,
  settings: TunnelSettings,
  now: number,
): SlotFacts {
  const blockedForMs = slot.blockedUntil - now;
  return {
    ageMs: slot.current === null ? null : now - slot.current.bornAt,
    softAgeMs: slot.current?.softAgeMs ?? settings.softAgeMs,
    hardAgeMs: settings.hardAgeMs,
    isConnecting: slot.connecting !== null,
    blockedForMs: blockedForMs > 0 ? blockedForMs : null,
  };
}

/** What its end is decided by. */
export function entryFacts<C extends PooledConnection>(
  entry: Entry<C>,
  settings: TunnelSettings,
  now: number,
): ConnectionFacts {
  return {
    ageMs: now - entry.bornAt,
    hardAgeMs: settings.hardAgeMs,
    users: entry.users,
    unusedMs: now - entry.freedAt,
    isDraining: entry.isDraining,
  };
}
