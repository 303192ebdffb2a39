import type { Target } from "@molecule/db/registry/targets";
import type { AgentAddress } from "../adapters/agent-line.ts";

/** Hears the answer of a streamed call as it comes. */
export interface StreamListener {
  /** The agent answers with a stream; called at most once. */
  readonly onStream: () => void;
  readonly onChunk: (chunk: Uint8Array) => void;
}

/** One message that this process holds and has said to be sending. */
export interface DeliveryJob {
  /** The id of the queue item and of its activity row. */
  readonly id: string;
  readonly target: Target;
  readonly address: AgentAddress;
  readonly callerId: string | null;
  readonly envelope: Readonly<Record<string, unknown>>;
  readonly wantsStream: boolean;
  /** Sent again when nobody knows whether it arrived: its receiver takes an id once. Default false. */
  readonly isRepeatable?: boolean;
  /** It waited in the queue, so nobody is on the line who could send it again. Default false. */
  readonly isFromQueue?: boolean;
  readonly listener?: StreamListener | undefined;
}

/** How a delivery ended, as the sender is told. */
export type DeliveryOutcome =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly body: unknown;
      /** Nobody waited for the agent when it ended. Default: not known. */
      readonly isLineEmpty?: boolean;
    }
  /** Nothing was sent; the message waits for its target. */
  | { readonly kind: "queued"; readonly sentence: string }
  | {
      readonly kind: "failed";
      readonly status: number;
      readonly sentence: string;
      /** The agent's answer had begun. Absent when nothing was sent. */
      readonly deliveryConfirmed?: boolean;
    };
