import {
  byWorkspace,
  connectionView,
  doneResult,
  mintedToken,
  revokeTokenInput,
  tokenList,
} from "@molecule/contracts/procedures";
import type { TokenRow } from "@molecule/db/tokens/workspace-tokens";
import { actorOf } from "../context.ts";
import {
  mintWorkspaceToken,
  readTokens,
  revokeWorkspaceToken,
} from "../services/tokens/manage-tokens.ts";
import { readConnection, rotateToken } from "../services/tokens/rotate-token.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Bearers of a workspace; a token's text is shown once. */
export const tokensRouter = {
  list: readProcedure
    .input(byWorkspace)
    .output(tokenList)
    .query(async ({ ctx, input }) => (await readTokens(ctx.deps, input.workspaceId)).map(viewOf)),
  mint: writeProcedure
    .input(byWorkspace)
    .output(mintedToken)
    .mutation(async ({ ctx, input }) => {
      const minted = await mintWorkspaceToken(ctx.deps, input.workspaceId);
      return { ...viewOf(minted), token: minted.token };
    }),
  /** Replaces all of them by one, of an agent that runs elsewhere. */
  rotate: writeProcedure
    .input(byWorkspace)
    .output(connectionView)
    .mutation(({ ctx, input }) => rotateToken(ctx.deps, actorOf(ctx.auth), input.workspaceId)),
  /** How that agent connects, without its token. */
  connection: readProcedure
    .input(byWorkspace)
    .output(connectionView)
    .query(({ ctx, input }) => readConnection(ctx.deps, input.workspaceId)),
  revoke: writeProcedure
    .input(revokeTokenInput)
    .output(doneResult)
    .mutation(async ({ ctx, input }) => {
      await revokeWorkspaceToken(ctx.deps, input.workspaceId, input.id);
      return { done: true as const };
    }),
};

function viewOf(row: TokenRow) {
  return {
    id: row.id,
    kind: row.kind,
    prefix: row.prefix,
    attemptNo: row.attemptNo,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  };
}
