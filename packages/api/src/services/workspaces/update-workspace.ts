import type * as P from "@molecule/contracts/procedures";
import type { Actor } from "@molecule/domain/sets";
import type { z } from "zod";
import type { Auth } from "../../context.ts";
import type { Deps } from "../../deps.ts";
import { notYet } from "../not-yet.ts";

export function renameWorkspace(
  _deps: Deps,
  _actor: Actor,
  _i: z.infer<typeof P.renameWorkspaceInput>,
): never {
  notYet();
}

export function moveWorkspace(
  _deps: Deps,
  _actor: Actor,
  _i: z.infer<typeof P.moveWorkspaceInput>,
): never {
  notYet();
}
