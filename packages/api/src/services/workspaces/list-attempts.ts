import type * as P from "@molecule/contracts/procedures";
import type { Actor } from "@molecule/domain/sets";
import type { z } from "zod";
import type { Auth } from "../../context.ts";
import type { Deps } from "../../deps.ts";
import { notYet } from "../not-yet.ts";

export function listAttempts(_deps: Deps, _i: z.infer<typeof P.attemptsInput>): never {
  notYet();
}
