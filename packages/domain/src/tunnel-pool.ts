/** The limits of the pool of connections. Source: design of the tunnels §5, measured. */
export interface TunnelSettings {
  /** Open connections per endpoint over all workers. AWS allows 20; the rest is for people and renewal. */
  readonly maxPerEndpoint: number;
  /** How long a caller waits for a connection, in ms. */
  readonly acquireTimeoutMs: number;
  /** How long one may take to be made, in ms. */
  readonly connectTimeoutMs: number;
  /** What the endpoint is asked for, in seconds; it allows 3600. */
  readonly maxTunnelSeconds: number;
  /** Age at which a connection is replaced while it goes on, in ms. */
  readonly softAgeMs: number;
  /** Age at which it ends whatever it does, in ms. */
  readonly hardAgeMs: number;
  /** Unused for so long it is closed, in ms. 0: one connection per operation. */
  readonly idleMs: number;
  readonly keepaliveMs: number;
  /** Unanswered keepalives that are borne. */
  readonly keepaliveMisses: number;
  /** For an operation, beside the time its bytes take, in ms. */
  readonly opTimeoutMs: number;
  /** Commands at once on one connection; a machine allows 10 channels in all. */
  readonly maxExec: number;
  /** From this size on a file goes over a channel of its own, in bytes. */
  readonly bulkBytes: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** Callers that may wait for one connection. */
  readonly maxWaiters: number;
  /** How long an address is believed, in ms; a failure forgets it at once. */
  readonly instanceTtlMs: number;
  readonly endpointTtlMs: number;
}

export const DEFAULT_TUNNEL_SETTINGS: TunnelSettings = {
  maxPerEndpoint: 16,
  acquireTimeoutMs: 10_000,
  connectTimeoutMs: 15_000,
  maxTunnelSeconds: 3_600,
  softAgeMs: 3_000_000,
  hardAgeMs: 3_540_000,
  idleMs: 300_000,
  keepaliveMs: 10_000,
  keepaliveMisses: 2,
  opTimeoutMs: 10_000,
  maxExec: 5,
  bulkBytes: 262_144,
  backoffMinMs: 250,
  backoffMaxMs: 10_000,
  maxWaiters: 256,
  instanceTtlMs: 300_000,
  endpointTtlMs: 3_600_000,
};

/** Ages are drawn this much apart, so that connections made together are not renewed together. */
const JITTER = 0.05;
/** Shares of the longest duration at which a connection is renewed and given up. */
const SOFT_SHARE = 3_000 / 3_600;
const HARD_SHARE = 3_540 / 3_600;
/** Above this share of the cap, idle ones go earlier and none is made in advance. */
const PRESSURE = 0.75;
const PRESSED_IDLE_MS = 60_000;
/** Connections that may be made in advance at once. */
const MAX_WARMING = 2;
/** The pace that the slowest link is believed to keep, in bytes a ms. */
const SLOWEST_BYTES_PER_MS = 1_000;

/** Ages that fit a shorter longest duration than the usual one. SPEC: TU3. */
export function agesFor(maxTunnelSeconds: number): { softAgeMs: number; hardAgeMs: number } {
  return {
    softAgeMs: Math.round(maxTunnelSeconds * 1_000 * SOFT_SHARE),
    hardAgeMs: Math.round(maxTunnelSeconds * 1_000 * HARD_SHARE),
  };
}

/** The soft age of one connection, in ms; `random` is in [0, 1). SPEC: TU3. */
export function jitteredAgeMs(softAgeMs: number, random: number): number {
  return softAgeMs * (1 - JITTER + 2 * JITTER * random);
}

/** What the pool holds for one machine. Ages and times are in ms. */
export interface SlotFacts {
  /** The age of the usable connection; null: there is none. */
  readonly ageMs: number | null;
  readonly softAgeMs: number;
  readonly hardAgeMs: number;
  /** Whether one is being made, as the first or as the next. */
  readonly isConnecting: boolean;
  /** Until when the last failure is answered without a further try; null: it may be tried. */
  readonly blockedForMs: number | null;
}

/**
 * What a caller gets. `use`: the connection. `use_and_renew`: it, and the next one is begun. `wait`: the
 * one that is being made. `refuse`: the fault that is remembered. `connect`: a new one is begun.
 * SPEC: TU1, TU2.
 */
export type SlotDecision = "use" | "use_and_renew" | "wait" | "refuse" | "connect";

export function decideSlot(slot: SlotFacts): SlotDecision {
  if (slot.ageMs !== null && slot.ageMs < slot.hardAgeMs) {
    const mayRenew = !slot.isConnecting && slot.blockedForMs === null;
    return slot.ageMs >= slot.softAgeMs && mayRenew ? "use_and_renew" : "use";
  }
  if (slot.isConnecting) return "wait";
  return slot.blockedForMs === null ? "connect" : "refuse";
}

/** One connection as the sweep sees it. */
export interface ConnectionFacts {
  readonly ageMs: number;
  readonly hardAgeMs: number;
  /** Uses under way. */
  readonly users: number;
  /** Time since the last use ended, in ms. */
  readonly unusedMs: number;
  /** Whether another has taken its place. */
  readonly isDraining: boolean;
}

/** What becomes of a connection now. SPEC: TU2, TU4. */
export function decideConnection(
  one: ConnectionFacts,
  idleMs: number,
): "keep" | "close_idle" | "close_drained" | "close_old" {
  if (one.ageMs >= one.hardAgeMs) return "close_old";
  if (one.users > 0) return "keep";
  if (one.isDraining) return "close_drained";
  return one.unusedMs >= idleMs ? "close_idle" : "keep";
}

/** How long a connection may be idle while `used` of `cap` are open, in ms. SPEC: TU4. */
export function idleLimitMs(settings: TunnelSettings, used: number): number {
  const isPressed = used > settings.maxPerEndpoint * PRESSURE;
  return isPressed ? Math.min(settings.idleMs, PRESSED_IDLE_MS) : settings.idleMs;
}

/** The one that gives way: unused, and for the longest time. Undefined: all are in use. SPEC: TU5. */
export function leastRecentlyUsed<T extends { readonly users: number; readonly unusedMs: number }>(
  candidates: readonly T[],
): T | undefined {
  return candidates
    .filter(({ users }) => users === 0)
    .reduce<T | undefined>(
      (found, one) => (found === undefined || one.unusedMs > found.unusedMs ? one : found),
      undefined,
    );
}

/** The wait after the n-th failure in a row, in ms; `failures` counts from 1. SPEC: TU6. */
export function reconnectDelayMs(settings: TunnelSettings, failures: number): number {
  const doublings = Math.min(Math.max(failures, 1) - 1, 30);
  return Math.min(settings.backoffMinMs * 2 ** doublings, settings.backoffMaxMs);
}

/** How long an operation that moves so many bytes may take, in ms. SPEC: TU10. */
export function operationTimeoutMs(settings: TunnelSettings, bytes: number): number {
  return settings.opTimeoutMs + Math.ceil(bytes / SLOWEST_BYTES_PER_MS);
}

/** Whether a connection is made before anybody asks for it. It never makes another give way. SPEC: TU12. */
export function mayWarm(
  settings: TunnelSettings,
  now: { readonly used: number; readonly warming: number; readonly isRunning: boolean },
): boolean {
  return (
    now.isRunning &&
    settings.idleMs > 0 &&
    now.warming < MAX_WARMING &&
    now.used + now.warming < settings.maxPerEndpoint * PRESSURE
  );
}

/** Text of each limit, as its variable gives it; undefined or empty: the default. */
export type TunnelTexts = Readonly<Partial<Record<TunnelVariable, string | undefined>>>;

/** The variables, in the order of the settings they set. */
export const TUNNEL_VARIABLES = [
  "EIC_TUNNEL_POOL_TTL",
  "EIC_TUNNEL_MAX_PER_ENDPOINT",
  "EIC_TUNNEL_ACQUIRE_TIMEOUT_MS",
  "EIC_TUNNEL_CONNECT_TIMEOUT_MS",
  "EIC_TUNNEL_MAX_DURATION_SECONDS",
  "EIC_TUNNEL_SOFT_AGE_SECONDS",
  "EIC_TUNNEL_HARD_AGE_SECONDS",
  "EIC_TUNNEL_KEEPALIVE_MS",
  "EIC_TUNNEL_KEEPALIVE_MISSES",
  "EIC_TUNNEL_OP_TIMEOUT_MS",
  "EIC_TUNNEL_MAX_EXEC",
  "EIC_TUNNEL_BULK_BYTES",
  "EIC_TUNNEL_BACKOFF_MIN_MS",
  "EIC_TUNNEL_BACKOFF_MAX_MS",
  "EIC_TUNNEL_MAX_WAITERS",
  "EIC_INSTANCE_TTL_SECONDS",
  "EIC_ENDPOINT_TTL_SECONDS",
] as const;
export type TunnelVariable = (typeof TUNNEL_VARIABLES)[number];

/** A variable that was not used, with what it said. */
export interface IgnoredVariable {
  readonly variable: TunnelVariable;
  readonly text: string;
}

/**
 * Settings from their variables. What is no number in its range is named, and the default holds.
 * SPEC: TU11.
 */
export function readTunnelSettings(texts: TunnelTexts): {
  readonly settings: TunnelSettings;
  readonly ignored: readonly IgnoredVariable[];
} {
  const ignored: IgnoredVariable[] = [];
  const read = (variable: TunnelVariable, range: Range): number => {
    const text = texts[variable]?.trim() ?? "";
    if (text === "") return range.fallback;
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= range.min && value <= range.max) return value;
    ignored.push({ variable, text });
    return range.fallback;
  };
  const defaults = DEFAULT_TUNNEL_SETTINGS;
  const maxTunnelSeconds = Math.floor(
    read("EIC_TUNNEL_MAX_DURATION_SECONDS", { min: 1, max: 3_600, fallback: 3_600 }),
  );
  const ages = agesFor(maxTunnelSeconds);
  const softSeconds = { min: 1, max: maxTunnelSeconds, fallback: ages.softAgeMs / 1_000 };
  const hardSeconds = { min: 1, max: maxTunnelSeconds, fallback: ages.hardAgeMs / 1_000 };
  const number = (variable: TunnelVariable, fallback: number, min: number, max: number) =>
    Math.floor(read(variable, { min, max, fallback }));
  const settings: TunnelSettings = {
    idleMs:
      read("EIC_TUNNEL_POOL_TTL", { min: 0, max: 86_400, fallback: defaults.idleMs / 1_000 }) *
      1_000,
    maxPerEndpoint: number("EIC_TUNNEL_MAX_PER_ENDPOINT", defaults.maxPerEndpoint, 1, 1_000),
    acquireTimeoutMs: number("EIC_TUNNEL_ACQUIRE_TIMEOUT_MS", defaults.acquireTimeoutMs, 1, DAY_MS),
    connectTimeoutMs: number("EIC_TUNNEL_CONNECT_TIMEOUT_MS", defaults.connectTimeoutMs, 1, DAY_MS),
    maxTunnelSeconds,
    softAgeMs: read("EIC_TUNNEL_SOFT_AGE_SECONDS", softSeconds) * 1_000,
    hardAgeMs: read("EIC_TUNNEL_HARD_AGE_SECONDS", hardSeconds) * 1_000,
    keepaliveMs: number("EIC_TUNNEL_KEEPALIVE_MS", defaults.keepaliveMs, 1, DAY_MS),
    keepaliveMisses: number("EIC_TUNNEL_KEEPALIVE_MISSES", defaults.keepaliveMisses, 1, 100),
    opTimeoutMs: number("EIC_TUNNEL_OP_TIMEOUT_MS", defaults.opTimeoutMs, 1, DAY_MS),
    maxExec: number("EIC_TUNNEL_MAX_EXEC", defaults.maxExec, 1, 100),
    bulkBytes: number("EIC_TUNNEL_BULK_BYTES", defaults.bulkBytes, 32_768, 2 ** 31),
    backoffMinMs: number("EIC_TUNNEL_BACKOFF_MIN_MS", defaults.backoffMinMs, 1, DAY_MS),
    backoffMaxMs: number("EIC_TUNNEL_BACKOFF_MAX_MS", defaults.backoffMaxMs, 1, DAY_MS),
    maxWaiters: number("EIC_TUNNEL_MAX_WAITERS", defaults.maxWaiters, 1, 100_000),
    instanceTtlMs:
      number("EIC_INSTANCE_TTL_SECONDS", defaults.instanceTtlMs / 1_000, 0, 300) * 1_000,
    endpointTtlMs:
      number("EIC_ENDPOINT_TTL_SECONDS", defaults.endpointTtlMs / 1_000, 0, 86_400) * 1_000,
  };
  return { settings, ignored };
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly fallback: number;
}

const DAY_MS = 86_400_000;
