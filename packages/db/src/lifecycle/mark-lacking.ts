import { eq } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { workspaces } from "../schema/workspaces.ts";
import type { SecretCipher } from "../secrets/cipher.ts";
import type { WorkspaceRow } from "./held-workspace.ts";
import { lackingKeys } from "./lacking-keys.ts";

/**
 * Writes down which keys a workspace that was made at rest would lack for its first start; nothing when it
 * lacks none. Tells it when that is new. SPEC: OR9.
 */
export async function markLacking(
  tx: Transaction,
  cipher: SecretCipher,
  row: Pick<WorkspaceRow, "id" | "config" | "failure">,
): Promise<void> {
  const lacking = await lackingKeys(tx, cipher, row);
  const failure =
    lacking === null
      ? null
      : { ...lacking, next: lacking.next.replace(AFTERWARDS, "; then it can be resumed.") };
  if (JSON.stringify(failure) === JSON.stringify(row.failure)) return;
  await ormOf(tx).update(workspaces).set({ failure }).where(eq(workspaces.id, row.id));
  await appendEvent(tx, {
    event: "WORKSPACE_UPDATED",
    subjectId: row.id,
    payload: { changed: ["failure"] },
  });
}

/** What is told of one that is to run. */
const AFTERWARDS = "; the agent then starts by itself.";
