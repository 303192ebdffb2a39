import type { LoggedEvent } from "@molecule/db/events/read-events";
import { loadNodes } from "@molecule/db/nodes/load-nodes";
import type { Deps } from "../deps.ts";
import { type StreamMessage, toMessage, toStreamEvent } from "./stream-message.ts";

/**
 * The messages of a batch. Every subject's node is loaded once and goes with its last event in the
 * batch: earlier ones would only show the same node. A removed subject has none.
 */
export async function toMessages(
  deps: Pick<Deps, "db" | "platform">,
  batch: readonly LoggedEvent[],
): Promise<StreamMessage[]> {
  const last = new Map<string, LoggedEvent>();
  for (const event of batch) if (event.subjectId !== null) last.set(event.subjectId, event);
  const ids = [...last.keys()];
  const nodes = await loadNodes(deps.db, { ids, settle: deps.platform.settle });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return batch.map((event) => {
    const isLast = event.subjectId !== null && last.get(event.subjectId) === event;
    const node = isLast && event.subjectId !== null ? byId.get(event.subjectId) : undefined;
    return toMessage(toStreamEvent(event, node), event.position);
  });
}
