import type { Runtime } from "@molecule/domain/sets";
import { and, eq, sql } from "drizzle-orm";
import type { Claim } from "../claim.ts";
import { ormOf, type Queryable } from "../database.ts";
import { watchedImages } from "../schema/fleet.ts";

/** A watched image with what its registry said last. */
export interface WatchedImage {
  readonly reference: string;
  readonly runtime: Runtime;
  /** Null before the first look. */
  readonly digest: string | null;
}

/** Has an image looked after, at once when it was not until now. What is remembered of it stays. */
export async function watchImage(
  q: Queryable,
  image: { readonly reference: string; readonly runtime: Runtime },
): Promise<void> {
  await ormOf(q)
    .insert(watchedImages)
    .values({ ...image, nextActionAt: sql`cp_now()` })
    .onConflictDoUpdate({
      target: watchedImages.reference,
      set: { nextActionAt: sql`COALESCE(${watchedImages.nextActionAt}, cp_now())` },
    });
}

/** The claimed image; null when the claim is no longer ours. */
export async function findWatched(q: Queryable, claim: Claim): Promise<WatchedImage | null> {
  const [row] = await ormOf(q).select().from(watchedImages).where(ours(claim));
  return row ?? null;
}

/** Remembers a digest. `isChange`: there was another one before. */
export async function rememberDigest(
  q: Queryable,
  claim: Claim,
  seen: { readonly digest: string; readonly isChange: boolean },
): Promise<void> {
  await ormOf(q)
    .update(watchedImages)
    .set({ digest: seen.digest, ...(seen.isChange ? { changedAt: sql`cp_now()` } : {}) })
    .where(ours(claim));
}

/** Gives an image back until the next look; `waitMs` null: nobody watches it any more. */
export async function endLook(q: Queryable, claim: Claim, waitMs: number | null): Promise<void> {
  await ormOf(q)
    .update(watchedImages)
    .set({
      checkedAt: sql`cp_now()`,
      leaseOwner: null,
      leaseUntil: null,
      nextActionAt: waitMs === null ? null : sql`cp_now() + ${waitMs} * interval '1 millisecond'`,
    })
    .where(ours(claim));
}

function ours(claim: Claim) {
  return and(
    eq(watchedImages.id, claim.id),
    eq(watchedImages.leaseEpoch, claim.epoch),
    eq(watchedImages.leaseOwner, claim.owner),
  );
}
