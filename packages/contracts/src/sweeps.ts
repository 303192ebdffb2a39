import { BACKENDS, SWEEP_HOLD_KINDS, SWEEP_HOLD_STATES } from "@molecule/domain/sets";
import { z } from "zod";

/** A question that a sweep asks the owner. */
export const sweepHoldView = z.object({
  /** Another one as soon as what would be done changes. */
  id: z.string(),
  backend: z.enum(BACKENDS),
  kind: z.enum(SWEEP_HOLD_KINDS),
  state: z.enum(SWEEP_HOLD_STATES),
  /** What is asked, for a person. */
  sentence: z.string(),
  /** What confirming and dismissing do, for a person. */
  onConfirm: z.string(),
  onDismiss: z.string(),
  /** Since when exactly this is asked. */
  since: z.string(),
  lastSeenAt: z.string(),
  /** Who has answered; null while it is open. */
  decidedBy: z.string().nullable(),
  /** Exactly what would be removed; empty for kind `identity`. */
  removals: z.array(
    z.object({
      providerId: z.string(),
      workspaceId: z.string(),
      /** Null for a workspace that the database does not know. */
      name: z.string().nullable(),
      attemptNo: z.number().int(),
      /** Number of the rule in packages/domain/SPEC.md. */
      rule: z.string(),
    }),
  ),
  /** How many instances the backend listed; null for kind `identity`. */
  listed: z.number().int().nullable(),
});
export type SweepHoldView = z.infer<typeof sweepHoldView>;

export const sweepHoldList = z.array(sweepHoldView);
