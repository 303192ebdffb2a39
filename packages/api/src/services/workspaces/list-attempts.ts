import type { attemptsInput } from "@molecule/contracts/procedures";
import type { AttemptView } from "@molecule/contracts/workspaces";
import { listAttempts as selectAttempts } from "@molecule/db/workspaces/list-attempts";
import type { z } from "zod";
import type { Deps } from "../../deps.ts";

/** Attempts of a workspace, newest first; [] for an unknown one. */
export async function listAttempts(
  deps: Deps,
  input: z.infer<typeof attemptsInput>,
): Promise<AttemptView[]> {
  return await selectAttempts(deps.db, input.id, input);
}
