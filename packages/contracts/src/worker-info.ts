import { BACKENDS } from "@molecule/domain/sets";
import { z } from "zod";

/** What a live worker says about itself in its `workers` row (`info`). */
export const workerInfo = z.object({
  backends: z.array(
    z.object({
      name: z.enum(BACKENDS),
      isAvailable: z.boolean(),
      /** What using it means, or why it is not available; for a person. */
      note: z.string(),
    }),
  ),
  defaultBackend: z.enum(BACKENDS),
  /** The consequence of the default backend, for a person. */
  backendNote: z.string(),
  /** Address on which containers reach the platform; null without an engine. */
  bridgeGateway: z.string().nullable(),
});
export type WorkerInfo = z.infer<typeof workerInfo>;

/** A worker counts as alive this long after it was last seen. */
export const WORKER_ALIVE_SECONDS = 15;
