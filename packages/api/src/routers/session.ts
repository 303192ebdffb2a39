import { doneResult, sessionView } from "@molecule/contracts/procedures";
import { readMe } from "../services/session/read-me.ts";
import { signOut } from "../services/session/sign-out.ts";
import { readProcedure } from "../trpc.ts";

/** Who is signed in. */
export const sessionRouter = {
  me: readProcedure.output(sessionView).query(({ ctx }) => readMe(ctx.auth)),
  signOut: readProcedure.output(doneResult).mutation(({ ctx }) => signOut(ctx.deps, ctx.auth)),
};
