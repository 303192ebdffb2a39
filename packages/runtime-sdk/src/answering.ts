import type { AgentAdapter, AgentEvent, PromptPart } from "./agent-adapter.ts";

/** One message, as an agent that is a single function gets it. */
export interface AskedMessage {
  /** What was said, notes of the platform first. */
  readonly text: string;
  readonly files: readonly { readonly name: string; readonly uri: string }[];
  /** Messages of one conversation have the same. */
  readonly contextId: string;
  /** Fires when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers one message: with a text, or with pieces of it as they come. */
export type AnswerFunction = (message: AskedMessage) => Promise<string> | AsyncIterable<string>;

/** An agent made of one function. What it throws ends the turn with its message. */
export function answering(name: string, answer: AnswerFunction): AgentAdapter {
  return {
    name,
    start: async () => undefined,
    stop: async () => undefined,
    prompt: async function* (contextId, parts, signal): AsyncGenerator<AgentEvent> {
      try {
        const given = answer({ ...split(parts), contextId, signal });
        for await (const text of Symbol.asyncIterator in given ? given : once(given)) {
          if (signal.aborted) break;
          yield { kind: "text", text };
        }
      } catch (error) {
        const sentence = error instanceof Error ? error.message : String(error);
        if (!signal.aborted) {
          yield { kind: "done", outcome: "failed", sentence, isCredentials: false };
          return;
        }
      }
      yield { kind: "done", outcome: signal.aborted ? "cancelled" : "completed" };
    },
  };
}

async function* once(text: Promise<string>): AsyncGenerator<string> {
  yield await text;
}

function split(parts: readonly PromptPart[]): Pick<AskedMessage, "text" | "files"> {
  const texts = parts.flatMap((part) => (part.kind === "file" ? [] : [part.text]));
  const files = parts.flatMap((part) => (part.kind === "file" ? [part] : []));
  return { text: texts.join("\n"), files };
}
