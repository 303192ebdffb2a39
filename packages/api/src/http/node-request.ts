import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { DomainError } from "@molecule/domain/errors";
import { newRequestId } from "../errors.ts";
import { keepIncoming } from "./incoming.ts";
import { failure, textOf } from "./respond.ts";
import { addSecurityHeaders } from "./security-headers.ts";

/** Bytes of a body nobody wants that are thrown away before the connection is cut. */
const MAX_DISCARDED_BYTES = 16 * 1_048_576;
/** Bytes of a body that wait for their reader. */
const BODY_BUFFER_BYTES = 65_536;

/** The headers of a Node request; repeated ones are joined as HTTP says. */
export function headersOf(req: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one);
  }
  return headers;
}

/**
 * Answers one Node request with a function over `Request`. The client's going aborts the request's
 * signal and cancels the answer's body. A body that is not read is thrown away, so that a client that
 * is still sending can read its answer. Never rejects.
 */
export async function serveNode(
  req: IncomingMessage,
  res: ServerResponse,
  answer: (request: Request) => Promise<Response>,
): Promise<void> {
  const body = new IncomingBody(req);
  const request = toRequest(req, body, () => goneWith(res));
  const response = request === null ? unreadable() : await answer(request);
  if (res.headersSent) return;
  // Not “Connection: close”: Node would cut a client that is still sending before it read its answer.
  if (!req.complete) body.discard();
  await send(response, req, res);
}

/** Aborted when the client goes. Every exchange ends by a close; only what ends early is an abortion. */
function goneWith(res: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (res.closed && !res.writableFinished) gone.abort();
  res.once("close", () => {
    if (!res.writableFinished) gone.abort();
  });
  return gone.signal;
}

/**
 * The body of a Node request as a web stream that can be thrown away half read. Nothing is taken off the
 * connection before somebody asks for it.
 */
class IncomingBody {
  readonly #req: IncomingMessage;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #isStarted = false;
  #isDiscarding = false;
  #discarded = 0;

  constructor(req: IncomingMessage) {
    this.#req = req;
  }

  /** The body as it comes; to be asked for once. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          if (this.#isStarted) this.#req.resume();
          else this.#start();
        },
        cancel: () => this.discard(),
      },
      // Asked for nothing, it takes nothing: the stream's own queue begins to fill with the first read.
      new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
    );
  }

  discard(): void {
    this.#isDiscarding = true;
    if (this.#isStarted) this.#req.resume();
    else this.#start();
  }

  /**
   * All of it at once, past the stream, for what is read whole: null when it is longer than `maxBytes`;
   * what is left of it then is thrown away.
   */
  async readAll(maxBytes: number): Promise<Uint8Array | null> {
    const req = this.#req;
    this.#isStarted = true;
    return await new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      req.on("data", (chunk: Buffer) => {
        if (this.#isDiscarding) return this.#count(chunk);
        size += chunk.length;
        if (size <= maxBytes) {
          chunks.push(chunk);
          return;
        }
        this.#isDiscarding = true;
        resolve(null);
      });
      req.once("end", () =>
        resolve(chunks.length === 1 ? (chunks[0] ?? null) : Buffer.concat(chunks)),
      );
      const broken = () => {
        if (!req.complete) reject(brokenOff());
      };
      req.once("error", broken);
      req.once("close", broken);
    });
  }

  #count(chunk: Buffer): void {
    this.#discarded += chunk.length;
    if (this.#discarded > MAX_DISCARDED_BYTES) this.#req.destroy();
  }

  #start(): void {
    const req = this.#req;
    const controller = this.#controller;
    this.#isStarted = true;
    req.on("data", (chunk: Buffer) => {
      if (this.#isDiscarding || controller === null) return this.#count(chunk);
      controller.enqueue(chunk);
      if ((controller.desiredSize ?? 0) <= -BODY_BUFFER_BYTES) req.pause();
    });
    const end = (error: (() => DomainError) | null) => {
      if (this.#isDiscarding) return;
      this.#isDiscarding = true;
      if (error === null) controller?.close();
      else controller?.error(error());
    };
    req.once("end", () => end(null));
    req.once("error", () => end(brokenOff));
    req.once("close", () => end(brokenOff));
  }
}

function brokenOff(): DomainError {
  return new DomainError("bad_request", "The connection ended before the body was complete.");
}

/** Null for what is HTTP and no `Request` can be made of: TRACE, say. */
function toRequest(
  req: IncomingMessage,
  body: IncomingBody,
  signal: () => AbortSignal,
): Request | null {
  const method = req.method ?? "GET";
  const hasBody = method !== "GET" && method !== "HEAD" && isBodyAnnounced(req);
  try {
    const request = new Request(urlOf(req), { method, headers: headersOf(req) });
    keepIncoming(request, {
      hasBody,
      readAll: (maxBytes) => body.readAll(maxBytes),
      stream: () => body.stream(),
      signal,
    });
    return request;
  } catch {
    return null;
  }
}

function unreadable(): Response {
  const error = new DomainError("bad_request", "Requests of this kind are not answered here.");
  const response = failure(error, newRequestId());
  addSecurityHeaders(response.headers);
  return response;
}

function isBodyAnnounced(req: IncomingMessage): boolean {
  return (
    req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"]) > 0
  );
}

function urlOf(req: IncomingMessage): string {
  const target = req.url ?? "/";
  const path = target.startsWith("/") ? target.replace(/^\/+/, "/") : "/";
  const host = req.headers.host ?? "localhost";
  const isHost = /^[^\s/?#@\\]+$/.test(host) && URL.canParse(`http://${host}/`);
  const base = isHost ? `http://${host}` : "http://localhost";
  return URL.canParse(path, base) ? `${base}${path}` : `${base}/`;
}

async function send(response: Response, req: IncomingMessage, res: ServerResponse): Promise<void> {
  res.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") res.setHeader(name, value);
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) res.setHeader("set-cookie", cookies);
  if (response.body === null || req.method === "HEAD") {
    await response.body?.cancel();
    res.end();
    return;
  }
  const text = textOf(response);
  if (text !== null) {
    // Head and body in one write, and no streams between.
    res.end(text);
    await finished(res).catch(() => undefined);
    return;
  }
  res.flushHeaders();
  const body = Readable.fromWeb(response.body as import("node:stream/web").ReadableStream);
  body.once("error", () => res.destroy());
  res.once("close", () => body.destroy());
  body.pipe(res);
  // A client that goes away ends the exchange; there is nobody left to tell.
  await finished(res).catch(() => undefined);
}
