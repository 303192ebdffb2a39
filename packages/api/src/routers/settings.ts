import {
  affectedResult,
  putSecretInput,
  removeSecretInput,
  secretList,
} from "@molecule/contracts/procedures";
import { notYet } from "../services/not-yet.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Settings of the organisation. */
export const settingsRouter = {
  secrets: readProcedure.output(secretList).query(() => notYet()),
  putSecret: writeProcedure
    .input(putSecretInput)
    .output(affectedResult)
    .mutation(() => notYet()),
  removeSecret: writeProcedure
    .input(removeSecretInput)
    .output(affectedResult)
    .mutation(() => notYet()),
};
