import {
  affectedResult,
  putSecretInput,
  removeSecretInput,
  secretList,
} from "@molecule/contracts/procedures";
import { actorOf } from "../context.ts";
import { changeGlobalSecret, viewGlobalSecrets } from "../services/secrets/manage-secrets.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Settings of the organisation. */
export const settingsRouter = {
  secrets: readProcedure.output(secretList).query(({ ctx }) => viewGlobalSecrets(ctx.deps)),
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
