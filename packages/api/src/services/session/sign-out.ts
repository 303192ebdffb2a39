import { revokeSession } from "@molecule/db/sessions/find-session";
import type { Auth } from "../../context.ts";
import type { Deps } from "../../deps.ts";

/** Ends the session everywhere within a second; nothing to end for the admin token. */
export async function signOut(deps: Deps, auth: Auth): Promise<{ done: true }> {
  if (auth.kind === "member") {
    const digest = Buffer.from(auth.sessionId, "hex");
    await deps.db.transaction((tx) => revokeSession(tx, digest));
  }
  return { done: true };
}
