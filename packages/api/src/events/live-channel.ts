import { payloadProblem } from "@molecule/contracts/event-payloads";
import type { StreamEvent } from "@molecule/contracts/events";
import type { LiveChannel } from "../deps.ts";

/**
 * A channel inside this process; a listener that throws is the next listener's business no more. An
 * event that is not as its schema says is handed out and told to `onError`.
 */
export function createLiveChannel(onError: (error: unknown) => void): LiveChannel {
  const listeners = new Set<(event: StreamEvent) => void>();
  return {
    emit: (event) => {
      const problem = payloadProblem(event.event, event.payload, "told");
      if (problem !== null) onError(new Error(problem));
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          onError(error);
        }
      }
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
