import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

/** One JSON call. */
export interface JsonCall {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent means no body. */
  readonly body?: unknown;
  /** A body that is no JSON, instead of `body`. */
  readonly raw?: RawBody | undefined;
  /** The whole call ends by then, in ms. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes with their media type. */
export interface RawBody {
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** An answer of any status. `body` is undefined when it was not JSON. */
export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterSeconds: number | undefined;
}

/** Nothing came back: refused, reset, timed out, or cancelled by the caller. */
export class NoAnswerError extends Error {
  readonly reason: "deadline" | "cancelled" | "transport";

  constructor(reason: NoAnswerError["reason"], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "NoAnswerError";
    this.reason = reason;
  }
}

/** Longest answer that is read, in bytes. Source: wire contract §6.1. */
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/**
 * Makes one call and reads the whole answer. The global `fetch` would give up after 300 s without a
 * header, and an agent may think longer than that.
 * @throws NoAnswerError
 */
export function callJson(call: JsonCall): Promise<JsonAnswer> {
  return new Promise((resolve, reject) => {
    const payload = payloadOf(call);
    const send = call.url.startsWith("https:") ? httpsRequest : httpRequest;
    const req = send(call.url, {
      method: call.method,
      headers: {
        accept: "application/json",
        ...(payload === undefined
          ? {}
          : {
              "content-type": payload.contentType,
              "content-length": String(payload.bytes.length),
            }),
        ...call.headers,
      },
    });
    const settle = (act: () => void) => {
      clearTimeout(timer);
      call.signal?.removeEventListener("abort", onAbort);
      act();
    };
    const fail = (reason: NoAnswerError["reason"], text: string, cause?: unknown) =>
      settle(() => {
        req.destroy();
        reject(new NoAnswerError(reason, text, cause));
      });
    const timer = setTimeout(
      () => fail("deadline", `No answer within ${call.deadlineMs} ms`),
      call.deadlineMs,
    );
    const onAbort = () => fail("cancelled", "The call was cancelled");
    call.signal?.addEventListener("abort", onAbort, { once: true });
    if (call.signal?.aborted === true) onAbort();
    req.on("error", (cause) => fail("transport", "The connection failed", cause));
    req.on("response", (res) => {
      const chunks: Buffer[] = [];
      let size = 0;
      res.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) fail("transport", "The answer is too long");
        else chunks.push(chunk);
      });
      res.on("error", (cause) => fail("transport", "The connection broke", cause));
      res.on("end", () =>
        settle(() =>
          resolve({
            status: res.statusCode ?? 0,
            body: parseJson(Buffer.concat(chunks).toString("utf8")),
            retryAfterSeconds: parseSeconds(res.headers["retry-after"]),
          }),
        ),
      );
    });
    req.end(payload?.bytes);
  });
}

function payloadOf(call: JsonCall): RawBody | undefined {
  if (call.raw !== undefined || call.body === undefined) return call.raw;
  return { contentType: "application/json", bytes: Buffer.from(JSON.stringify(call.body)) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseSeconds(text: string | undefined): number | undefined {
  const seconds = Number(text);
  return text !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
