/** How long a boot token may be used after it was issued, in ms. Source: issue 6, security C2 row 2. */
export const BOOT_TOKEN_TTL_MS = 15 * 60_000;

/** In front of every boot token: it is told apart from a workspace's own, and found by secret scanners. */
export const BOOT_TOKEN_MARK = "wbt_";

/** What a person is told of: somebody else may hold the token, or the machine took too long. */
export const TOLD_REFUSALS = ["used", "expired"] as const;
export type ToldRefusal = (typeof TOLD_REFUSALS)[number];

/** What is known of a boot token that somebody presents. Instants are of the database's clock. */
export interface BootTokenFacts {
  readonly attemptNo: number;
  readonly currentAttempt: number;
  /** Null: nobody has used it yet. */
  readonly usedAt: Date | null;
  readonly expiresAt: Date;
  /** Whoever presents it names its exchange as the one who used it did. False when either named none. */
  readonly isSameExchange: boolean;
}

/** What becomes of it; `first` is the one use, a repetition of it is only answered again. */
export type BootTokenVerdict =
  | { readonly kind: "accepted"; readonly isFirst: boolean }
  | { readonly kind: "refused"; readonly why: ToldRefusal | "superseded" };

/** Whether a boot token is exchanged for its attempt's token. SPEC: BT1 to BT5. */
export function judgeBootToken(facts: BootTokenFacts, now: Date): BootTokenVerdict {
  if (facts.attemptNo !== facts.currentAttempt) return { kind: "refused", why: "superseded" };
  const isOver = now.getTime() >= facts.expiresAt.getTime();
  if (facts.usedAt === null) {
    return isOver ? { kind: "refused", why: "expired" } : { kind: "accepted", isFirst: true };
  }
  // Its own machine, to which the answer did not come: nobody else knows how it named its exchange.
  if (!facts.isSameExchange) return { kind: "refused", why: "used" };
  return isOver ? { kind: "refused", why: "expired" } : { kind: "accepted", isFirst: false };
}

/** A refusal for a person, one line without a full stop. */
export function explainRefusal(why: ToldRefusal, attemptNo: number): string {
  return why === "used"
    ? `The boot token of attempt ${attemptNo} was presented a second time and refused: somebody else may have read it`
    : `The machine of attempt ${attemptNo} came with its boot token after more than 15 minutes and was refused`;
}
