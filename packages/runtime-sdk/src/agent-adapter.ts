/** One part of a message to the agent, whatever shape it had on the wire. */
export type PromptPart =
  | { readonly kind: "text"; readonly text: string }
  /** What the platform has to say about the agent itself; no words of whoever asks. */
  | { readonly kind: "note"; readonly text: string }
  | {
      readonly kind: "file";
      readonly name: string;
      readonly uri: string;
      readonly mimeType: string | undefined;
    };

/** How a turn ended. `sentence` is for a person; `isCredentials` means a key is missing or refused. */
export type TurnEnd =
  | { readonly outcome: "completed" }
  | { readonly outcome: "cancelled" }
  | { readonly outcome: "failed"; readonly sentence: string; readonly isCredentials: boolean };

/**
 * What happens during a turn, in order. Exactly one `done` comes last. When it says `failed`, the text
 * before it is no answer.
 */
export type AgentEvent =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "tool";
      /** The same for every event of one use. */
      readonly id: string;
      readonly name: string;
      /** What it works on, on one line; may be empty. */
      readonly detail: string;
      readonly state: "running" | "done" | "failed";
    }
  /** What the agent is doing now, as a short phrase for a person. */
  | { readonly kind: "status"; readonly text: string }
  | ({ readonly kind: "done" } & TurnEnd);

/**
 * Drives one agent. The runtime calls `prompt` at most once at a time per context; different contexts
 * run side by side.
 */
export interface AgentAdapter {
  readonly name: string;
  /** The agent is usable afterwards. @throws Error with a sentence when it never will be. */
  readonly start: () => Promise<void>;
  /**
   * Runs one turn of the conversation `contextId`. Never throws; an abort ends it with `cancelled`,
   * soon.
   */
  readonly prompt: (
    contextId: string,
    parts: readonly PromptPart[],
    signal: AbortSignal,
  ) => AsyncIterable<AgentEvent>;
  /** Nothing the adapter started is left afterwards. Turns under way end. */
  readonly stop: () => Promise<void>;
}
