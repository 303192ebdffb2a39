import type { moveCardsInput } from "@molecule/contracts/procedures";
import { appendEvent } from "@molecule/db/events/append-event";
import { placeCards } from "@molecule/db/layouts/layouts";
import type { z } from "zod";
import type { Deps } from "../../deps.ts";

/** Puts cards where a person dragged them; every open canvas follows. Unknown cards are left out. */
export async function moveCards(
  deps: Deps,
  cards: z.infer<typeof moveCardsInput>["cards"],
): Promise<{ done: true }> {
  await deps.db.transaction(async (tx) => {
    for (const subjectId of await placeCards(tx, cards)) {
      await appendEvent(tx, { event: "LAYOUT_UPDATED", subjectId, payload: {} });
    }
  });
  return { done: true };
}
