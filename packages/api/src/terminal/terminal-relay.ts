import type { TerminalNotice } from "@molecule/contracts/terminal-protocol";
import {
  TERMINAL_END_TEXTS,
  TERMINAL_ENDS,
  TERMINAL_OPEN_MS,
  type TerminalEnd,
} from "@molecule/domain/terminal";
import type { WebSocket } from "ws";

type Ended = Extract<TerminalNotice, { kind: "end" }>;

/** Unsent bytes of one side at which the other is read no further. */
const MAX_UNSENT_BYTES = 262_144;
/** Silent connections that a proxy would cut are kept, and dead ones are found. */
const PING_MS = 30_000;
const CLOSE_GRACE_MS = 5_000;
/** What the worker may take beyond its own deadline. */
const READY_MS = TERMINAL_OPEN_MS + 2_000;

/**
 * The two sockets of one viewer: the worker's, there from the start, and the client's, joined later.
 * Frames go over as they are, each side at the other's pace: what one does not take is not read from the
 * other, so that nothing gathers here. When either ends, both do.
 */
export class TerminalRelay {
  readonly #worker: WebSocket;
  readonly #isOurs: boolean;
  readonly #early: { readonly data: Buffer; readonly isBinary: boolean }[] = [];
  #client: WebSocket | null = null;
  #last: Ended | null = null;
  #isReady = false;
  #isOver = false;
  #onEnd: () => void = () => undefined;
  #onReady: (failure: Ended | null) => void = () => undefined;
  #pings: NodeJS.Timeout | null = null;
  #isSilent = false;

  constructor(worker: WebSocket, isOurs: boolean) {
    this.#worker = worker;
    this.#isOurs = isOurs;
    if (isOurs) this.#early.push(textFrame({ kind: "stage", stage: "authorising" }));
    worker.on("message", (data, isBinary) => this.#fromWorker(data as Buffer, isBinary));
    // Followed by close.
    worker.on("error", () => undefined);
    worker.on("close", () => this.#finish(this.#last ?? endNotice("connection_lost")));
  }

  /** Calls `listener` once, when both sides have ended. */
  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  /** Null when the shell is open; why it is not, else. */
  async untilReady(): Promise<Ended | null> {
    const timer = setTimeout(() => this.#finish(endNotice("timed_out")), READY_MS);
    const failure = await new Promise<Ended | null>((resolve) => {
      this.#onReady = resolve;
      if (this.#isReady) resolve(null);
      else if (this.#isOver) resolve(this.#last ?? endNotice("connection_lost"));
    });
    clearTimeout(timer);
    return failure;
  }

  /** The client gets what came so far, and everything that follows. */
  join(client: WebSocket): void {
    this.#client = client;
    client.on("message", (data, isBinary) => this.#fromClient(data as Buffer, isBinary));
    client.on("error", () => undefined);
    client.on("close", () => this.#finish(endNotice("closed")));
    client.on("pong", () => {
      this.#isSilent = false;
    });
    this.#pings = setInterval(() => this.#ping(client), PING_MS);
    this.#pings.unref();
    for (const { data, isBinary } of this.#early.splice(0)) this.#toClient(client, data, isBinary);
    if (this.#isOver) this.#close(client, this.#last ?? endNotice("connection_lost"));
  }

  /** Ends it from this side; the shell in the worker is not ended. */
  stop(end: TerminalEnd): void {
    if (this.#isOver) return;
    const notice = endNotice(end);
    if (this.#client !== null) this.#toClient(this.#client, textFrame(notice).data, false);
    this.#finish(notice);
  }

  #fromWorker(data: Buffer, isBinary: boolean): void {
    if (!isBinary) this.#notice(data);
    if (this.#client !== null) this.#toClient(this.#client, data, isBinary);
    else {
      this.#early.push({ data, isBinary });
      // The worker sends no more than its window before the client is there to take it.
    }
  }

  #notice(data: Buffer): void {
    const notice = JSON.parse(data.toString("utf8")) as TerminalNotice;
    if (notice.kind === "ready") {
      this.#isReady = true;
      this.#onReady(null);
    }
    if (notice.kind === "end" && TERMINAL_ENDS.includes(notice.end)) this.#last = notice;
  }

  #toClient(client: WebSocket, data: Buffer, isBinary: boolean): void {
    // A client of the wire contract knows bytes of the shell only.
    if (!isBinary && !this.#isOurs) return;
    this.#pass(client, { data, isBinary }, this.#worker);
  }

  #fromClient(data: Buffer, isBinary: boolean): void {
    if (this.#worker.readyState === this.#worker.CONNECTING) {
      // Typed before the worker's socket was open: read again when it is.
      this.#client?.pause();
      this.#worker.once("open", () => {
        this.#client?.resume();
        this.#fromClient(data, isBinary);
      });
      return;
    }
    const message = { data, isBinary: isBinary || !this.#isOurs };
    if (this.#client !== null) this.#pass(this.#worker, message, this.#client);
  }

  #pass(
    to: WebSocket,
    { data, isBinary }: { readonly data: Buffer; readonly isBinary: boolean },
    from: WebSocket,
  ): void {
    if (to.readyState !== to.OPEN) return;
    to.send(data, { binary: isBinary }, () => {
      if (to.bufferedAmount < MAX_UNSENT_BYTES / 2 && from.isPaused) from.resume();
    });
    if (to.bufferedAmount > MAX_UNSENT_BYTES && from.readyState === from.OPEN) from.pause();
  }

  #ping(client: WebSocket): void {
    if (this.#isSilent) client.terminate();
    else client.ping();
    this.#isSilent = true;
  }

  #finish(notice: Ended): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#last ??= notice;
    if (this.#pings !== null) clearInterval(this.#pings);
    this.#onReady(this.#isReady ? null : this.#last);
    this.#worker.resume();
    this.#worker.close();
    setTimeout(() => this.#worker.terminate(), CLOSE_GRACE_MS).unref();
    if (this.#client !== null) this.#close(this.#client, this.#last);
    this.#onEnd();
  }

  #close(client: WebSocket, { end }: Ended): void {
    client.resume();
    client.close(TERMINAL_END_TEXTS[end].closeCode, end);
    setTimeout(() => client.terminate(), CLOSE_GRACE_MS).unref();
  }
}

function endNotice(end: TerminalEnd): Ended {
  const { sentence, next } = TERMINAL_END_TEXTS[end];
  return { kind: "end", end, sentence, next };
}

function textFrame(notice: TerminalNotice) {
  return { data: Buffer.from(JSON.stringify(notice)), isBinary: false };
}
