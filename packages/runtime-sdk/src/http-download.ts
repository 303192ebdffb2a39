import { createWriteStream } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { NoAnswerError } from "./http-json.ts";

/** One download. */
export interface DownloadCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Must not exist; made with mode 0600. */
  readonly toFile: string;
  readonly maxBytes: number;
  /** The whole download ends by then, in ms. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came of it; the file is there only after a 200. */
export interface DownloadAnswer {
  readonly status: number;
  /** The JSON of a refusal; undefined when there is none. */
  readonly body: unknown;
  /** Bytes in the file. */
  readonly size: number;
}

const MAX_REFUSAL_BYTES = 64 * 1024;

/**
 * Writes an answer to a file as it comes. What broke off has to be removed by the caller.
 * @throws NoAnswerError
 */
export async function downloadTo(call: DownloadCall): Promise<DownloadAnswer> {
  const timeout = AbortSignal.timeout(call.deadlineMs);
  const signal = call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]);
  try {
    const res = await begun(call, signal);
    const status = res.statusCode ?? 0;
    if (status !== 200) return { status, body: await refusalIn(res), size: 0 };
    const limit = new Limit(call.maxBytes);
    await pipeline(res, limit, createWriteStream(call.toFile, { flags: "wx", mode: 0o600 }), {
      signal,
    });
    return { status, body: undefined, size: limit.size };
  } catch (cause) {
    if (call.signal?.aborted === true) {
      throw new NoAnswerError("cancelled", "The download was cancelled", cause);
    }
    if (timeout.aborted) {
      throw new NoAnswerError("deadline", `Not done within ${call.deadlineMs} ms`, cause);
    }
    throw new NoAnswerError("transport", "The download broke off", cause);
  }
}

function begun(call: DownloadCall, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = call.url.startsWith("https:") ? httpsRequest : httpRequest;
    const req = send(call.url, { method: "GET", headers: call.headers, signal });
    req.on("error", reject);
    req.on("response", resolve);
    req.end();
  });
}

async function refusalIn(res: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of res as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_REFUSAL_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Counts, and ends a file that is larger than it may be. */
class Limit extends Transform {
  size = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    super();
    this.#maxBytes = maxBytes;
  }

  override _transform(
    chunk: Buffer,
    _encoding: string,
    done: (error?: Error, data?: Buffer) => void,
  ) {
    this.size += chunk.length;
    if (this.size > this.#maxBytes) done(new Error("the file is too large"));
    else done(undefined, chunk);
  }
}
