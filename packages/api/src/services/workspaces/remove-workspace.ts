import type * as P from "@molecule/contracts/procedures";
import type { Actor } from "@molecule/domain/sets";
import type { z } from "zod";
import type { Auth } from "../../context.ts";
import type { Deps } from "../../deps.ts";
import { notYet } from "../not-yet.ts";

export function previewRemoval(_deps: Deps, _id: string): never {
  notYet();
}

export function removeConfirmed(
  _deps: Deps,
  _actor: Actor,
  _i: z.infer<typeof P.removeWorkspaceInput>,
): never {
  notYet();
}
