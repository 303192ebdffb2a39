import type { StreamControl } from "@molecule/contracts/events";
import { cursorOf } from "@molecule/db/events/read-events";
import type { EventHub } from "../events/event-hub.ts";
import { followStream, type StreamSink } from "../events/follow-stream.ts";
import type { OpenStreams } from "../events/open-streams.ts";
import type { StreamMessage } from "../events/stream-message.ts";
import { SIGNED_IN, WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { type Route, route } from "./router.ts";

/** What the event stream of a process hangs on. */
export interface StreamParts {
  readonly hub: EventHub;
  readonly streams: OpenStreams;
}

const PING_MS = 30_000;
/** Unsent characters at which a client counts as slow. */
const MAX_UNSENT = 4 * 1_048_576;

/**
 * The event stream for scripts, as server-sent events with `Last-Event-ID`: of everything that the
 * caller may see, and of one workspace. Source: architecture 5, wire contract §16.1.
 */
export function eventRoutes(parts: StreamParts): readonly Route[] {
  return [
    route("GET", "/events/stream", SIGNED_IN, (context) => stream(context, parts)),
    route("GET", "/workspaces/:id/events/stream", WORKSPACE, (context) => stream(context, parts)),
  ];
}

function stream(context: RequestContext, { hub, streams }: StreamParts): Response {
  const { deps, auth, req, query, workspaceId } = context;
  const after = req.headers.get("last-event-id") ?? query.get("after");
  const sink = new SseSink({
    workspaceId: auth.kind === "workspace" ? auth.workspaceId : null,
    subjectId: workspaceId === "" ? null : workspaceId,
  });
  const forget = streams.add({ auth, end: () => sink.close() });
  const ping = setInterval(() => sink.comment("ping"), PING_MS);
  ping.unref();
  let endFollowing: () => void = () => undefined;
  sink.onClose(() => {
    clearInterval(ping);
    forget();
    endFollowing();
  });
  sink.comment("ping");
  followStream(deps, hub, sink, after).then(
    (end) => {
      endFollowing = end;
      if (sink.isClosed) end();
    },
    (err: unknown) => {
      deps.log.warn({ err }, "a stream could not be started");
      sink.close();
    },
  );
  return new Response(sink.body, {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
  });
}

/** Writes events as text; closes itself when the reader is gone or too slow. */
class SseSink implements StreamSink {
  readonly workspaceId: string | null;
  /** The only workspace it is about; null for everything that its reader may see. */
  readonly #subjectId: string | null;
  readonly body: ReadableStream<Uint8Array>;
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #onClose: () => void = () => undefined;
  #isClosed = false;

  constructor(of: { readonly workspaceId: string | null; readonly subjectId: string | null }) {
    this.workspaceId = of.workspaceId;
    this.#subjectId = of.subjectId;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => this.close(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 65_536 }),
    );
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Calls `listener` once, when the stream ends for whichever reason. */
  onClose(listener: () => void): void {
    this.#onClose = listener;
  }

  send(message: StreamMessage): void {
    if (this.#subjectId !== null && message.workspaceId !== this.#subjectId) return;
    const id = message.position === null ? "" : `id: ${cursorOf(message.position)}\n`;
    this.#write(`${id}data: ${this.#textOf(message)}\n\n`);
  }

  #textOf(message: StreamMessage): string {
    if (this.#subjectId !== null) return message.typed();
    return this.workspaceId === null ? message.full : message.bare();
  }

  control(message: StreamControl): void {
    const id = message.control === "live" ? `id: ${message.cursor}\n` : "";
    this.#write(`event: control\n${id}data: ${JSON.stringify(message)}\n\n`);
  }

  comment(text: string): void {
    this.#write(`: ${text}\n\n`);
  }

  async drained(): Promise<void> {
    // What a slow reader leaves is bounded by MAX_UNSENT in #write.
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#controller?.close();
    } catch {
      // The reader cancelled, which closed it.
    }
    this.#onClose();
  }

  #write(text: string): void {
    if (this.#isClosed || this.#controller === null) return;
    this.#controller.enqueue(this.#encoder.encode(text));
    if ((this.#controller.desiredSize ?? 0) < -MAX_UNSENT) this.close();
  }
}
