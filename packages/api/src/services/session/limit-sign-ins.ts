import { settleRates } from "@molecule/db/processes/rate-windows";
import { MAX_WRONG_SIGN_INS, SIGN_IN_WINDOW_MS } from "@molecule/domain/sessions";
import type { Deps } from "../../deps.ts";
import type { RateState } from "../../http/rate-limit.ts";

/**
 * Counts one attempt to sign in from an address, over all servers, and says whether it is one too many.
 * It is counted before it is looked at, so that attempts of the same moment on different servers are
 * together no more than the limit. Source: security C2 row 4.
 */
export async function countSignIn(deps: Deps, ip: string): Promise<RateState> {
  const { count, ageMs } = await add(deps, ip, 1);
  return {
    limit: MAX_WRONG_SIGN_INS,
    remaining: Math.max(0, MAX_WRONG_SIGN_INS - count),
    resetSeconds: Math.max(1, Math.ceil((SIGN_IN_WINDOW_MS - ageMs) / 1000)),
    isExceeded: count > MAX_WRONG_SIGN_INS,
  };
}

/** The attempt was right: it does not count against the address. */
export async function forgiveSignIn(deps: Deps, ip: string): Promise<void> {
  await add(deps, ip, -1);
}

async function add(deps: Deps, ip: string, uses: number) {
  const [total] = await settleRates(deps.db, SIGN_IN_WINDOW_MS, [{ key: `sign-in:${ip}`, uses }]);
  if (total === undefined) throw new Error("invariant: a window that is settled is told");
  return total;
}
