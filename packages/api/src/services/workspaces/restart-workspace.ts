import type { restartResult, restartWorkspaceInput } from "@molecule/contracts/procedures";
import { type RestartAnswer, requestRestart } from "@molecule/db/lifecycle/request-restart";
import type { Actor } from "@molecule/domain/sets";
import type { z } from "zod";
import type { Deps } from "../../deps.ts";

/** Restarts for a click on the canvas; the same click twice is one. */
export async function restartFromCanvas(
  deps: Deps,
  actor: Actor,
  input: z.infer<typeof restartWorkspaceInput>,
): Promise<z.infer<typeof restartResult>> {
  const { id, clickId } = input;
  const { attempt, message } = await deps.db.transaction((tx) =>
    requestRestart(tx, { workspaceId: id, actor, clickId }),
  );
  return { attempt, message };
}

/** Restarts for a script; every call is a click of its own. */
export async function restartWorkspace(
  deps: Deps,
  actor: Actor,
  id: string,
): Promise<RestartAnswer> {
  return await deps.db.transaction((tx) => requestRestart(tx, { workspaceId: id, actor }));
}
