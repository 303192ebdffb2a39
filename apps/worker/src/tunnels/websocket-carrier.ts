import { Duplex } from "node:stream";
import { type ClientOptions, WebSocket } from "ws";
import type { Carrier } from "./carrier.ts";
import { TunnelError } from "./errors.ts";

/** How a tunnel's websocket is opened. */
export interface WebSocketOptions {
  /** Carries a signature that lets anybody in for a minute: never logged. */
  readonly url: string;
  /** PEM of a certificate to trust beside the usual ones; absent: none. */
  readonly certificate?: string | undefined;
  readonly signal: AbortSignal;
}

/** What the AWS command line sends at most in one frame. */
const MAX_FRAME_BYTES = 65_000;
const MAX_RECEIVED_FRAME = 4 * 1024 * 1024;
const CLOSE_MS = 1_000;

/**
 * Opens a websocket whose binary frames are the bytes of a TCP connection.
 * @throws TunnelError `ws-rejected` with the status, `ws-unreachable` with the code of the socket.
 */
export async function openWebSocket(options: WebSocketOptions): Promise<Carrier> {
  options.signal.throwIfAborted();
  const settings: ClientOptions & { readonly closeTimeout: number } = {
    // The other side said goodbye and does not hang up: its types do not know this option yet.
    closeTimeout: CLOSE_MS,
    perMessageDeflate: false,
    maxPayload: MAX_RECEIVED_FRAME,
    headers: { "User-Agent": "molecule" },
    ...(options.certificate === undefined ? {} : { ca: options.certificate }),
  };
  const socket = new WebSocket(options.url, settings);
  socket.once("upgrade", (response) => response.socket.setNoDelay(true));
  return await new Promise<Carrier>((resolve, reject) => {
    const onAbort = () => {
      socket.terminate();
      reject(new TunnelError("handshake-timeout"));
    };
    options.signal.addEventListener("abort", onAbort, { once: true });
    const end = () => options.signal.removeEventListener("abort", onAbort);
    socket.once("unexpected-response", (request, response) => {
      end();
      const requestId = response.headers["x-amzn-requestid"];
      const facts = {
        httpStatus: response.statusCode ?? 0,
        ...(typeof requestId === "string" ? { requestId } : {}),
      };
      response.resume();
      request.destroy();
      reject(new TunnelError("ws-rejected", facts));
    });
    socket.on("error", (error: Error & { code?: unknown }) => {
      end();
      const facts = typeof error.code === "string" ? { code: error.code } : {};
      reject(new TunnelError("ws-unreachable", facts, { cause: error }));
    });
    socket.once("open", () => {
      end();
      resolve(carry(socket));
    });
  });
}

function carry(socket: WebSocket): Carrier {
  const stream = new Duplex({
    allowHalfOpen: false,
    readableHighWaterMark: 1024 * 1024,
    writableHighWaterMark: 256 * 1024,
    read: () => {
      if (socket.isPaused) socket.resume();
    },
    write: (data: Buffer, _encoding, done) => send(socket, data, done),
    final: (done) => {
      socket.close(1000);
      done();
    },
    destroy: (error, done) => {
      if (socket.readyState !== WebSocket.CLOSED) socket.terminate();
      done(error);
    },
  });
  let hasReceived = false;
  let isText = false;
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    if (!isBinary) {
      isText = true;
      return socket.terminate();
    }
    hasReceived = true;
    if (!stream.push(data)) socket.pause();
  });
  const ended = new Promise<TunnelError>((resolve) => {
    socket.once("close", (closeCode: number) => {
      // What cannot be reached shows after the upgrade only: as an end before the machine said a word.
      const fault = isText ? "protocol" : hasReceived ? "ws-closed" : "target-unreachable";
      resolve(new TunnelError(fault, { closeCode }));
      if (!stream.destroyed) {
        stream.push(null);
        stream.destroy();
      }
    });
  });
  return {
    stream,
    ended,
    close: async () => {
      if (socket.readyState === WebSocket.CLOSED) return;
      const late = setTimeout(() => socket.terminate(), CLOSE_MS);
      // Whatever was not read is of no use; what is paused would never see the other side's answer.
      if (socket.isPaused) socket.resume();
      socket.close(1000);
      await ended;
      clearTimeout(late);
    },
  };
}

function send(socket: WebSocket, data: Buffer, done: (error?: Error | null) => void): void {
  let from = 0;
  const next = (error?: Error | null): void => {
    if (error || from >= data.length) {
      done(error);
    } else if (socket.readyState !== WebSocket.OPEN) {
      done(new TunnelError("ws-closed"));
    } else {
      const frame = data.subarray(from, from + MAX_FRAME_BYTES);
      from += frame.length;
      socket.send(frame, { binary: true }, next);
    }
  };
  next();
}
