import { payloadProblem } from "@molecule/contracts/event-payloads";
import type { StreamEvent } from "@molecule/contracts/events";

/** Hands an event on, or what is left of it. */
export type CheckEvent = (event: StreamEvent) => StreamEvent;

/**
 * The event as it may be shown. One whose payload is not as its schema says loses that payload, so that
 * nothing is drawn from it; its node and its place in the stream stay. The fault is reported once for
 * whoever looks at the page's errors.
 */
export const checkEvent: CheckEvent = (event) => {
  const problem = payloadProblem(event.event, event.payload, "heard");
  if (problem === null) return event;
  reportError(new Error(`An event of the stream is not as its schema says: ${problem}`));
  return { ...event, payload: {} };
};
