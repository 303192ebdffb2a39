import { type A2aReply, EMPTY_REPLY } from "./a2a-reply.ts";

/**
 * Where a message of ours is. `sending`: the request is open and nothing came back. `streaming`: the
 * reply arrives. `queued`: the platform keeps it until the agent is ready. `waiting`: the connection
 * is gone but the platform has the message; history will have the answer. `failed`: not accepted;
 * Retry sends it again under the same id. `done`: answered; history takes over.
 */
type TurnState = "sending" | "streaming" | "queued" | "waiting" | "failed" | "done";

/** A message sent from this tab, and what came back for it. */
export interface LocalTurn {
  readonly messageId: string;
  readonly text: string;
  readonly state: TurnState;
  readonly reply: A2aReply;
  /** Why it failed, for a person; null otherwise. */
  readonly error: string | null;
  /** What to do about it; null when nothing is known. */
  readonly next: string | null;
}

/** A message that is about to be sent. */
export function newTurn(messageId: string, text: string): LocalTurn {
  return { messageId, text, state: "sending", reply: EMPTY_REPLY, error: null, next: null };
}

/** The same message, about to be sent again under its id. */
export function retriedTurn(turn: LocalTurn): LocalTurn {
  return newTurn(turn.messageId, turn.text);
}

/**
 * What a reload may keep of the turns: those the platform may not have. An open request died with
 * the page, so it is kept as failed; history replaces it when the platform did get it.
 */
export function persistableTurns(turns: readonly LocalTurn[]): LocalTurn[] {
  return turns
    .filter((turn) => turn.state === "sending" || turn.state === "failed")
    .map((turn) => ({
      ...turn,
      reply: EMPTY_REPLY,
      state: "failed" as const,
      error: turn.error ?? "The page was closed before this was sent.",
    }));
}
