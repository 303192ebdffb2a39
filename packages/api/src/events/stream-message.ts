import type { StreamEvent } from "@molecule/contracts/events";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { cursorOf, type LoggedEvent, type Position } from "@molecule/db/events/read-events";

/** An event as it is sent, each of its two forms serialised at most once. */
export interface StreamMessage {
  readonly workspaceId: string;
  /** Null for events that are not on the log. */
  readonly position: Position | null;
  /** For members and the admin token: with cursor and node. */
  readonly full: string;
  /** For agents: the contract's four fields (§16.1). */
  bare(): string;
  /** For the stream of one workspace: `{type, timestamp, data}`, the time in ms (§16.1). */
  typed(): string;
}

/** The message of an event. */
export function toMessage(event: StreamEvent, position: Position | null): StreamMessage {
  let bare: string | undefined;
  return {
    workspaceId: event.workspace_id,
    position,
    full: JSON.stringify(event),
    bare: () => {
      const { event: name, workspace_id, timestamp, payload } = event;
      bare ??= JSON.stringify({ event: name, workspace_id, timestamp, payload });
      return bare;
    },
    typed: () => {
      const { event: type, timestamp, payload: data } = event;
      return JSON.stringify({ type, timestamp: Date.parse(timestamp), data });
    },
  };
}

/** A logged event in the form of the stream. */
export function toStreamEvent(logged: LoggedEvent, node: WorkspaceNode | undefined): StreamEvent {
  return {
    event: logged.event,
    workspace_id: logged.subjectId ?? "",
    timestamp: logged.at.toISOString(),
    payload: logged.payload,
    cursor: cursorOf(logged.position),
    ...(node === undefined ? {} : { node }),
  };
}
