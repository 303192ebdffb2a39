import {
  organisationSecret,
  secretReach,
  secretReachInput,
} from "@molecule/contracts/organisation-secrets";
import { affectedResult, putSecretInput, removeSecretInput } from "@molecule/contracts/procedures";
import { z } from "zod";
import { actorOf } from "../context.ts";
import {
  changeGlobalSecret,
  viewGlobalSecrets,
  viewReach,
} from "../services/secrets/manage-secrets.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Settings of the organisation. */
export const settingsRouter = {
  secrets: readProcedure
    .output(z.array(organisationSecret))
    .query(({ ctx }) => viewGlobalSecrets(ctx.deps)),
  secretReach: readProcedure
    .input(secretReachInput)
    .output(secretReach)
    .query(({ ctx, input }) => viewReach(ctx.deps, input)),
  putSecret: writeProcedure
    .input(putSecretInput)
    .output(affectedResult)
    .mutation(async ({ ctx, input }) => ({
      affected: await changeGlobalSecret(ctx.deps, { actor: actorOf(ctx.auth), ...input }),
    })),
  removeSecret: writeProcedure
    .input(removeSecretInput)
    .output(affectedResult)
    .mutation(async ({ ctx, input }) => ({
      affected: await changeGlobalSecret(ctx.deps, {
        actor: actorOf(ctx.auth),
        key: input.key,
        value: null,
      }),
    })),
};
