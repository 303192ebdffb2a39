import type * as P from "@molecule/contracts/procedures";
import type { Actor } from "@molecule/domain/sets";
import type { z } from "zod";
import type { Auth } from "../../context.ts";
import type { Deps } from "../../deps.ts";
import { notYet } from "../not-yet.ts";

export function signOut(_deps: Deps, _auth: Auth): never {
  notYet();
}
