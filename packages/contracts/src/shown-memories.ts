import { MEMORY_SCOPES } from "@molecule/domain/sets";
import { z } from "zod";
import { workspaceIdText } from "./procedures.ts";
import { isoTime } from "./workspaces.ts";

/** One memory that an agent reads, as the canvas shows it. */
const shownMemory = z.object({
  id: z.string(),
  /** The workspace that wrote it; only its own are deleted from it. */
  authorId: z.string(),
  content: z.string(),
  scope: z.enum(MEMORY_SCOPES),
  namespace: z.string(),
  createdAt: isoTime,
});
export type ShownMemory = z.infer<typeof shownMemory>;

/** Best first where something was asked, else newest first. */
export const shownMemories = z.object({ memories: z.array(shownMemory), hasMore: z.boolean() });
/** An empty text asks for the newest. */
export const shownMemoriesInput = z.strictObject({
  workspaceId: workspaceIdText,
  text: z.string().max(1_000),
});
export const shownMemoryRef = z.strictObject({ workspaceId: workspaceIdText, id: workspaceIdText });
