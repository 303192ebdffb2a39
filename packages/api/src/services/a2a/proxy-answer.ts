import type { DeliveryOutcome, StreamListener } from "../../a2a/delivery-job.ts";

/** What the proxy answers. */
export type ProxyAnswer =
  | {
      readonly kind: "json";
      readonly status: number;
      readonly body: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "stream";
      readonly stream: ReadableStream<Uint8Array>;
      readonly headers: Readonly<Record<string, string>>;
    };

/** The body of a failed delivery. Source: contract §6.5. */
export function errorBody(
  failed: Extract<DeliveryOutcome, { kind: "failed" }>,
): Readonly<Record<string, unknown>> {
  return {
    error: failed.sentence,
    code: "upstream_failed",
    ...(failed.deliveryConfirmed === undefined
      ? {}
      : { delivery_confirmed: failed.deliveryConfirmed }),
  };
}

/** One event of a stream. */
function sseEvent(data: unknown): Uint8Array {
  return new TextEncoder().encode(`data: ${JSON.stringify(data)}\n\n`);
}

/** A stream that holds one whole answer: for a message that was answered before. */
export function oneEventStream(body: unknown): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(sseEvent(body));
      controller.close();
    },
  });
}

/**
 * The agent's stream on its way to the sender: bytes go out as they come in. A sender that leaves
 * ends the stream, never the delivery. What broke off ends with an event that says so.
 */
export class StreamAnswer {
  readonly listener: StreamListener;
  /** Resolves when the agent answers with a stream; never when it does not. */
  readonly begun: Promise<ProxyAnswer>;
  readonly #rpcId: unknown;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(activityId: string | null, rpcId: unknown) {
    this.#rpcId = rpcId;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#controller = null;
      },
    });
    let begin: (answer: ProxyAnswer) => void = () => undefined;
    this.begun = new Promise((resolve) => {
      begin = resolve;
    });
    const headers: Record<string, string> =
      activityId === null ? {} : { "x-molecule-activity-id": activityId };
    this.listener = {
      onStream: () => begin({ kind: "stream", stream, headers }),
      onChunk: (chunk) => this.#controller?.enqueue(chunk),
    };
  }

  /** Ends the stream when the delivery ends. */
  follow(outcome: Promise<DeliveryOutcome>): void {
    const end = (sentence: string | null) => {
      const controller = this.#controller;
      this.#controller = null;
      if (controller === null) return;
      if (sentence !== null) {
        const error = { code: -32603, message: sentence };
        controller.enqueue(sseEvent({ jsonrpc: "2.0", id: this.#rpcId, error }));
      }
      controller.close();
    };
    outcome.then(
      (ended) => end(ended.kind === "failed" ? ended.sentence : null),
      () => end("The platform could not store the answer. Look at the activity in a moment."),
    );
  }
}
