/** What decides how long an agent may take to start. */
export interface StartTimeoutFacts {
  /** The operator's `PROVISION_TIMEOUT_SECONDS` in ms; null when it is not set. */
  readonly overrideMs: number | null;
  /** The further keys of the workspace's configuration, which began as its template's. */
  readonly extra: Readonly<Record<string, unknown>>;
  readonly runtime: string;
}

const DEFAULT_MS = 600_000;
/** Runtimes that install themselves on their first start. Source: contract §18. */
const RUNTIME_MS: Readonly<Record<string, number>> = { hermes: 1_800_000 };
/** No start is waited for longer than a day. */
const MAX_MS = 86_400_000;

/**
 * How long an agent may take from its creation to its first beat, in ms: the operator's word, else the
 * configuration's, else the runtime's, else ten minutes. SPEC: P1, P2. Source: contract §18.
 */
export function startTimeoutMs(facts: StartTimeoutFacts): number {
  return statedTimeoutMs(facts) ?? DEFAULT_MS;
}

/** The same where somebody said so; null where the ten minutes of everybody hold. */
export function statedTimeoutMs(facts: StartTimeoutFacts): number | null {
  const { overrideMs, extra, runtime } = facts;
  const seconds = provisionTimeoutSeconds(extra);
  const stated = overrideMs ?? (seconds === null ? (RUNTIME_MS[runtime] ?? null) : seconds * 1_000);
  return stated === null ? null : Math.min(stated, MAX_MS);
}

/** `runtime_config.provision_timeout_seconds` of a configuration; null when it is not a time. */
export function provisionTimeoutSeconds(extra: Readonly<Record<string, unknown>>): number | null {
  const inner = extra.runtime_config;
  if (typeof inner !== "object" || inner === null) return null;
  const seconds = "provision_timeout_seconds" in inner ? inner.provision_timeout_seconds : null;
  return typeof seconds === "number" && Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}
