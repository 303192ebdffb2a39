import type { StreamControl } from "@molecule/contracts/events";
import {
  cursorOf,
  isReachable,
  type Position,
  parseCursor,
  readEvents,
} from "@molecule/db/events/read-events";
import { listParents } from "@molecule/db/workspaces/hierarchy";
import type { Deps } from "../deps.ts";
import { toMessages } from "./batch-messages.ts";
import { communicates, type EventHub, isSeen } from "./event-hub.ts";
import type { StreamMessage } from "./stream-message.ts";

/** One open stream, over whichever transport. */
export interface StreamSink {
  /** The workspace it speaks for; null for members and the admin token. */
  readonly workspaceId: string | null;
  send(message: StreamMessage): void;
  control(message: StreamControl): void;
  /** Resolves when the client has taken what was sent; replay waits for it. */
  drained(): Promise<void>;
  /** True when the client is gone; nothing more is sent. */
  readonly isClosed: boolean;
}

const REPLAY_BATCH = 500;

/**
 * Follows the stream from `after` (from now when null): what the log has since then, `live`, then
 * everything as it happens, each event once. A cursor the log cannot continue from gets `resync` and
 * then live events. Resolves, when replay is done, with the function that ends it.
 */
export async function followStream(
  deps: Deps,
  hub: EventHub,
  sink: StreamSink,
  after: string | null,
): Promise<() => void> {
  const waiting: StreamMessage[] = [];
  let isLive = false;
  // Subscribed before the log is read: what is handed out meanwhile waits, so nothing falls between.
  let reached = hub.position;
  const end = hub.subscribe({
    workspaceId: sink.workspaceId,
    deliver: (message) => {
      if (isLive) sendUnseen(sink, message, reached);
      else waiting.push(message);
    },
  });
  try {
    reached = await replay(deps, sink, after, reached);
  } catch (error) {
    end();
    throw error;
  }
  sink.control({ control: "live", cursor: cursorOf(reached) });
  for (const message of waiting) sendUnseen(sink, message, reached);
  isLive = true;
  return end;
}

function sendUnseen(sink: StreamSink, message: StreamMessage, reached: Position): void {
  if (!sink.isClosed && !isSeen(message.position, reached)) sink.send(message);
}

/** Sends the log after the cursor; returns the position up to which the client has everything. */
async function replay(
  deps: Deps,
  sink: StreamSink,
  after: string | null,
  from: Position,
): Promise<Position> {
  if (after === null) return from;
  const cursor = parseCursor(after);
  if (cursor === null || !(await isReachable(deps.db, cursor))) {
    sink.control({ control: "resync", reason: "The log does not reach back to this cursor." });
    return from;
  }
  const parents = sink.workspaceId === null ? null : await listParents(deps.db);
  const mayRead = parents === null ? null : communicates(parents);
  let position = cursor;
  while (!sink.isClosed) {
    const batch = await readEvents(deps.db, position, REPLAY_BATCH);
    const last = batch.at(-1);
    if (last === undefined) break;
    for (const message of await toMessages(deps, batch)) {
      const { workspaceId } = sink;
      const isAllowed =
        workspaceId === null || mayRead === null || mayRead(workspaceId, message.workspaceId);
      if (isAllowed) sink.send(message);
    }
    position = last.position;
    await sink.drained();
    if (batch.length < REPLAY_BATCH) break;
  }
  return position;
}
