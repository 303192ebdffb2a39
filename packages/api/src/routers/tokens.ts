import {
  byWorkspace,
  doneResult,
  mintedToken,
  revokeTokenInput,
  tokenList,
} from "@molecule/contracts/procedures";
import { notYet } from "../services/not-yet.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Bearers of a workspace; a token's text is shown once. */
export const tokensRouter = {
  list: readProcedure
    .input(byWorkspace)
    .output(tokenList)
    .query(() => notYet()),
  mint: writeProcedure
    .input(byWorkspace)
    .output(mintedToken)
    .mutation(() => notYet()),
  revoke: writeProcedure
    .input(revokeTokenInput)
    .output(doneResult)
    .mutation(() => notYet()),
};
