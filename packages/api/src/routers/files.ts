import { fileContent } from "@molecule/contracts/panel";
import {
  doneResult,
  fileList,
  fileListInput,
  filePathInput,
  fileWriteInput,
  fileWriteResult,
} from "@molecule/contracts/procedures";
import { notYet } from "../services/not-yet.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Files of a workspace: `/configs` from the platform, the other roots from the instance. */
export const filesRouter = {
  list: readProcedure
    .input(fileListInput)
    .output(fileList)
    .query(() => notYet()),
  read: readProcedure
    .input(filePathInput)
    .output(fileContent)
    .query(() => notYet()),
  write: writeProcedure
    .input(fileWriteInput)
    .output(fileWriteResult)
    .mutation(() => notYet()),
  remove: writeProcedure
    .input(filePathInput)
    .output(doneResult)
    .mutation(() => notYet()),
};
