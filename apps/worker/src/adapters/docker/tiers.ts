/** What a workspace of one tier may use. Limits only: no tier adds a privilege. */
export interface TierLimits {
  readonly memoryMb: number;
  /** 1024 = one CPU, as a hard limit. Source: wire contract §19.1. */
  readonly cpuShares: number;
}

export type TierOverrides = Readonly<Partial<Record<number, Partial<TierLimits>>>>;

const DEFAULT_TIER = 2;
const TIERS: Readonly<Record<number, TierLimits>> = {
  1: { memoryMb: 256, cpuShares: 512 },
  2: { memoryMb: 512, cpuShares: 1024 },
  3: { memoryMb: 2048, cpuShares: 2048 },
  4: { memoryMb: 4096, cpuShares: 4096 },
};
/** Below this the engine refuses to create. Source: Docker run reference, 6 MB; Node needs more. */
const MIN_MEMORY_MB = 64;

/** The limits of a tier with the operator's overrides; an unknown tier counts as 2. */
export function limitsOfTier(tier: number, overrides: TierOverrides = {}): TierLimits {
  const known = TIERS[tier] === undefined ? DEFAULT_TIER : tier;
  const base = TIERS[known] ?? { memoryMb: 512, cpuShares: 1024 };
  const wanted = overrides[known];
  return {
    memoryMb: Math.max(MIN_MEMORY_MB, wanted?.memoryMb ?? base.memoryMb),
    cpuShares: Math.max(2, wanted?.cpuShares ?? base.cpuShares),
  };
}
