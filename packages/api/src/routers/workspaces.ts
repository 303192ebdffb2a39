import {
  attemptInput,
  attemptOpened,
  restartRequestList,
  restartRequestsInput,
  statusHistory,
  statusHistoryInput,
} from "@molecule/contracts/ledger";
import {
  attemptList,
  attemptsInput,
  byId,
  countResult,
  createWorkspaceInput,
  createWorkspaceResult,
  doneResult,
  moveWorkspaceInput,
  nodeList,
  removalPreview,
  removeResult,
  removeWorkspaceInput,
  renameWorkspaceInput,
  restartResult,
  restartWorkspaceInput,
  stopTryingResult,
} from "@molecule/contracts/procedures";
import { workspaceNode } from "@molecule/contracts/workspaces";
import { actorOf } from "../context.ts";
import { applyNow } from "../services/workspaces/apply-now.ts";
import { createFromCanvas } from "../services/workspaces/create-from-canvas.ts";
import { listAttempts } from "../services/workspaces/list-attempts.ts";
import {
  hibernateWorkspace,
  pauseWorkspace,
  resumeWorkspace,
} from "../services/workspaces/pause-workspace.ts";
import {
  listRestartRequests,
  readAttempt,
  readStatusHistory,
} from "../services/workspaces/read-ledger.ts";
import { listNodes, readNode } from "../services/workspaces/read-node.ts";
import { previewRemoval, removeConfirmed } from "../services/workspaces/remove-workspace.ts";
import { restartFromCanvas } from "../services/workspaces/restart-workspace.ts";
import { stopTrying } from "../services/workspaces/stop-trying.ts";
import { moveWorkspace, renameWorkspace } from "../services/workspaces/update-workspace.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

const restart = writeProcedure
  .input(restartWorkspaceInput)
  .output(restartResult)
  .mutation(({ ctx, input }) => restartFromCanvas(ctx.deps, actorOf(ctx.auth), input));

/** The agents of the organisation. */
export const workspacesRouter = {
  list: readProcedure.output(nodeList).query(({ ctx }) => listNodes(ctx.deps)),
  get: readProcedure
    .input(byId)
    .output(workspaceNode)
    .query(({ ctx, input }) => readNode(ctx.deps, input.id)),
  create: writeProcedure
    .input(createWorkspaceInput)
    .output(createWorkspaceResult)
    .mutation(({ ctx, input }) => createFromCanvas(ctx.deps, actorOf(ctx.auth), input)),
  rename: writeProcedure
    .input(renameWorkspaceInput)
    .output(workspaceNode)
    .mutation(({ ctx, input }) => renameWorkspace(ctx.deps, actorOf(ctx.auth), input)),
  move: writeProcedure
    .input(moveWorkspaceInput)
    .output(workspaceNode)
    .mutation(({ ctx, input }) => moveWorkspace(ctx.deps, actorOf(ctx.auth), input)),
  restart,
  /** The same as `restart`, where the card says Retry. */
  retry: restart,
  pause: writeProcedure
    .input(byId)
    .output(countResult)
    .mutation(({ ctx, input }) => pauseWorkspace(ctx.deps, actorOf(ctx.auth), input.id)),
  resume: writeProcedure
    .input(byId)
    .output(countResult)
    .mutation(({ ctx, input }) => resumeWorkspace(ctx.deps, actorOf(ctx.auth), input.id)),
  hibernate: writeProcedure
    .input(byId)
    .output(countResult)
    .mutation(({ ctx, input }) =>
      hibernateWorkspace(ctx.deps, actorOf(ctx.auth), { id: input.id, isForced: false }),
    ),
  applyNow: writeProcedure
    .input(byId)
    .output(doneResult)
    .mutation(({ ctx, input }) => applyNow(ctx.deps, input.id)),
  /** No further try by itself, until a restart or the next saved change. */
  stopTrying: writeProcedure
    .input(byId)
    .output(stopTryingResult)
    .mutation(({ ctx, input }) => stopTrying(ctx.deps, actorOf(ctx.auth), input.id)),
  removalPreview: readProcedure
    .input(byId)
    .output(removalPreview)
    .query(({ ctx, input }) => previewRemoval(ctx.deps, input.id)),
  remove: writeProcedure
    .input(removeWorkspaceInput)
    .output(removeResult)
    .mutation(({ ctx, input }) => removeConfirmed(ctx.deps, actorOf(ctx.auth), input)),
  attempts: readProcedure
    .input(attemptsInput)
    .output(attemptList)
    .query(({ ctx, input }) => listAttempts(ctx.deps, input)),
  attempt: readProcedure
    .input(attemptInput)
    .output(attemptOpened)
    .query(({ ctx, input }) => readAttempt(ctx.deps, input)),
  /** What asked for a restart and was no attempt of its own. */
  restartRequests: readProcedure
    .input(restartRequestsInput)
    .output(restartRequestList)
    .query(({ ctx, input }) => listRestartRequests(ctx.deps, input)),
  statusHistory: readProcedure
    .input(statusHistoryInput)
    .output(statusHistory)
    .query(({ ctx, input }) => readStatusHistory(ctx.deps, input)),
};
