import { EVENT_TYPES } from "@molecule/domain/sets";
import { z } from "zod";
import { workspaceNode } from "./workspaces.ts";

/**
 * One message of the stream (`/ws`, SSE). The first four fields are the wire contract's §16.1; the
 * rest are ours and ignored by other clients.
 */
export const streamEvent = z.object({
  event: z.enum(EVENT_TYPES),
  workspace_id: z.string(),
  timestamp: z.string(),
  payload: z.record(z.string(), z.unknown()),
  /** Position on the log, "<txid>.<id>"; absent on live-only events. */
  cursor: z.string().optional(),
  /** The node after this event, on every event that changed what its card shows. */
  node: workspaceNode.optional(),
});
export type StreamEvent = z.infer<typeof streamEvent>;

/** Control messages of `/ws?after=`; told apart from events by `control`. */
export const streamControl = z.discriminatedUnion("control", [
  /** Everything up to `cursor` has been sent; what follows is live. */
  z.object({ control: z.literal("live"), cursor: z.string() }),
  /** The cursor is older than the log: take a new snapshot. */
  z.object({ control: z.literal("resync"), reason: z.string() }),
  /** Templates or teams are others than before: read their lists again. */
  z.object({ control: z.literal("templates") }),
]);
export type StreamControl = z.infer<typeof streamControl>;
