import { WS_CLOSE_SIGNED_OUT } from "@molecule/contracts/close-codes";
import type { StreamControl, StreamEvent } from "@molecule/contracts/events";

/** How fresh the page is. */
export type StreamState =
  | { readonly kind: "live" }
  /** Connected and replaying; `count` events have come so far. */
  | { readonly kind: "catching-up"; readonly count: number }
  /** No connection since `sinceMs` (the client's clock); another try comes by itself. */
  | { readonly kind: "offline"; readonly sinceMs: number }
  | { readonly kind: "signed-out" };

/** The part of a WebSocket that the stream uses; the browser's fits. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((close: { code: number }) => void) | null;
  close(): void;
}

/** What the stream needs from its surroundings; a test hands in its own. */
export interface StreamPorts {
  open(cursor: string): Socket;
  /** Calls back once, at the next frame (or soon, while the page is hidden). */
  nextFrame(callback: () => void): () => void;
  after(delayMs: number, callback: () => void): () => void;
  /** The event as it may be shown: one that is not as its schema says comes back without its payload. */
  checked(event: StreamEvent): StreamEvent;
  nowMs(): number;
  /** 0 to 1, for the jitter of the back-off. */
  random(): number;
}

export interface StreamHandlers {
  /** Everything that arrived since the last frame, in order. */
  onEvents(events: readonly StreamEvent[]): void;
  onState(state: StreamState): void;
  /** Templates or teams are others than before. */
  onTemplates(): void;
  /** The log no longer reaches back: takes a new snapshot and answers with its cursor. */
  onResync(): Promise<string>;
}

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;

/** Wait before try `attempt` (0 is the first): 1 s doubling to 30 s, with up to a fifth taken off. */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt, 10), MAX_DELAY_MS);
  return Math.round(full * (1 - 0.2 * random));
}

/**
 * The one event stream of the page.
 *
 * Connecting: until the socket opens; a close leads to offline. Catching up: open, until the server says
 * `live`. Live: events are delivered once per frame. Offline: entered when a socket closes; the next try
 * comes after a back-off that `live` resets. Signed out: entered by close code 4401 and never left.
 * Events carry a cursor; a reconnect asks for what came after the last one.
 */
export class StreamClient {
  readonly #ports: StreamPorts;
  readonly #handlers: StreamHandlers;
  #cursor: string;
  #socket: Socket | null = null;
  #buffer: StreamEvent[] = [];
  #cancelFrame: (() => void) | null = null;
  #cancelRetry: (() => void) | null = null;
  #failures = 0;
  #replayed = 0;
  #isLive = false;
  #isStopped = false;
  #offlineSinceMs: number | null = null;

  constructor(ports: StreamPorts, handlers: StreamHandlers, cursor: string) {
    this.#ports = ports;
    this.#handlers = handlers;
    this.#cursor = cursor;
  }

  /** Opens the stream; {@link stop} ends it. */
  start(): void {
    this.#connect();
  }

  /** Closes the socket and forgets every timer; nothing is delivered afterwards. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry?.();
    this.#cancelFrame?.();
    this.#drop();
  }

  /** Tries at once instead of waiting for the back-off; does nothing while connected. */
  reconnectNow(): void {
    if (this.#isStopped || this.#socket !== null) return;
    this.#cancelRetry?.();
    this.#failures = 0;
    this.#connect();
  }

  #connect(): void {
    if (this.#isStopped) return;
    this.#replayed = 0;
    this.#isLive = false;
    const socket = this.#ports.open(this.#cursor);
    this.#socket = socket;
    socket.onopen = () => this.#handlers.onState({ kind: "catching-up", count: 0 });
    socket.onmessage = (message) => this.#receive(message.data);
    socket.onclose = (close) => this.#closed(close.code);
  }

  #receive(data: unknown): void {
    const message = parseMessage(data);
    if (message === null) return;
    if ("control" in message) {
      if (message.control === "live") this.#becomeLive(message.cursor);
      else if (message.control === "templates") this.#handlers.onTemplates();
      else void this.#resync();
      return;
    }
    if (message.cursor !== undefined) this.#cursor = message.cursor;
    this.#buffer.push(this.#ports.checked(message));
    if (!this.#isLive) this.#replayed += 1;
    this.#cancelFrame ??= this.#ports.nextFrame(() => this.#flush());
  }

  #becomeLive(cursor: string): void {
    this.#cursor = cursor;
    this.#isLive = true;
    this.#failures = 0;
    this.#offlineSinceMs = null;
    this.#flush();
    this.#handlers.onState({ kind: "live" });
  }

  #flush(): void {
    this.#cancelFrame?.();
    this.#cancelFrame = null;
    const events = this.#buffer;
    this.#buffer = [];
    if (events.length > 0) this.#handlers.onEvents(events);
    if (!this.#isLive && this.#socket !== null && this.#replayed > 0) {
      this.#handlers.onState({ kind: "catching-up", count: this.#replayed });
    }
  }

  async #resync(): Promise<void> {
    this.#drop();
    this.#buffer = [];
    try {
      this.#cursor = await this.#handlers.onResync();
      this.#connect();
    } catch {
      // The snapshot failed for the same reason the next connection would: wait like after a close.
      this.#retryLater();
    }
  }

  #closed(code: number): void {
    this.#socket = null;
    this.#flush();
    if (code === WS_CLOSE_SIGNED_OUT) {
      this.#isStopped = true;
      this.#handlers.onState({ kind: "signed-out" });
      return;
    }
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#isStopped) return;
    this.#offlineSinceMs ??= this.#ports.nowMs();
    this.#handlers.onState({ kind: "offline", sinceMs: this.#offlineSinceMs });
    const delayMs = backoffMs(this.#failures, this.#ports.random());
    this.#failures += 1;
    this.#cancelRetry = this.#ports.after(delayMs, () => this.#connect());
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}

/** A message of the stream, or null for one that this version does not know. */
function parseMessage(data: unknown): StreamEvent | StreamControl | null {
  if (typeof data !== "string") return null;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  if ("control" in value) return parseControl(value);
  // Its payload is checked by whoever opened the stream, once the schemas are there.
  return "event" in value && typeof value.event === "string" ? (value as StreamEvent) : null;
}

function parseControl(value: {
  control: unknown;
  cursor?: unknown;
  reason?: unknown;
}): StreamControl | null {
  const { control, cursor, reason } = value;
  if (control === "live" && typeof cursor === "string") return { control, cursor };
  if (control === "templates") return { control };
  if (control === "resync") return { control, reason: typeof reason === "string" ? reason : "" };
  return null;
}
