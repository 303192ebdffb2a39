import { fileContent } from "@molecule/contracts/panel";
import {
  doneResult,
  fileList,
  fileListInput,
  filePathInput,
  fileWriteInput,
  fileWriteResult,
} from "@molecule/contracts/procedures";
import { actorOf } from "../context.ts";
import { listFiles, readFile } from "../services/files/read-files.ts";
import { removeFile, writeFile } from "../services/files/write-files.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Files of a workspace: `/configs` from the platform, the other roots from the instance. */
export const filesRouter = {
  list: readProcedure
    .input(fileListInput)
    .output(fileList)
    .query(async ({ ctx, input }) => {
      const { entries, truncated } = await listFiles(ctx.deps, input);
      return { entries: [...entries], truncated };
    }),
  read: readProcedure
    .input(filePathInput)
    .output(fileContent)
    .query(({ ctx, input }) => readFile(ctx.deps, input)),
  write: writeProcedure
    .input(fileWriteInput)
    .output(fileWriteResult)
    .mutation(({ ctx, input }) => writeFile(ctx.deps, actorOf(ctx.auth), input)),
  remove: writeProcedure
    .input(filePathInput)
    .output(doneResult)
    .mutation(async ({ ctx, input }) => {
      await removeFile(ctx.deps, actorOf(ctx.auth), input);
      return { done: true as const };
    }),
};
