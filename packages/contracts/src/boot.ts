import { z } from "zod";

/** What a machine of a remote backend reads once it has the token of its attempt. */
export const bootContent = z.object({
  attempt: z.number().int(),
  /** Secrets of the workspace: environment of its agent, written nowhere. */
  env: z.record(z.string(), z.string()),
  /** Files of `/configs`; `content` is base64. */
  files: z.array(z.object({ path: z.string(), content: z.string() })),
  /** Managed files that were deleted since. */
  removed_files: z.array(z.string()),
});
export type BootContent = z.infer<typeof bootContent>;
