import { RUNTIMES } from "@molecule/domain/sets";
import { z } from "zod";

/** What a refresh of the images did. Source: wire contract §17. */
export const refreshResult = z.object({
  /** Runtimes whose image was pulled. */
  pulled: z.array(z.enum(RUNTIMES)),
  /** Runtimes whose image could be neither pulled nor made. */
  failed: z.array(z.enum(RUNTIMES)),
  /** Workspaces that start again on the newer image. */
  recreated: z.array(z.string()),
});
export type RefreshResult = z.infer<typeof refreshResult>;
