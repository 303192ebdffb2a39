import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import {
  WORKER_SIGNATURE_HEADER,
  type WorkerOperation,
  workerOperations,
} from "@molecule/contracts/worker-api";
import { DomainError, type ErrorCode } from "@molecule/domain/errors";
import { isStoreDown } from "../restart/store-down.ts";
import type { Log } from "../runtime/log.ts";
import type { Stoppable } from "../runtime/scope.ts";
import { type Operations, toDomainError } from "./operations.ts";
import { isSigned } from "./signature.ts";

/** 25 MiB in base64 and a little. */
const MAX_BODY_BYTES = 40 * 1024 * 1024;

/** What the private server needs. */
export interface PrivateServerOptions {
  readonly operations: Operations;
  /** Content of the key file, without the line end. */
  readonly key: string;
  /** Unix time in seconds. */
  readonly nowSeconds: () => number;
  readonly log: Log;
  /** Takes signed upgrades to a WebSocket; absent: there are none. */
  readonly sockets?: PrivateSockets;
}

/** What answers upgrades whose signature was right. */
export interface PrivateSockets extends Stoppable {
  /** True when it has taken the socket over. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

/** The running private API. */
export interface PrivateServer extends Stoppable {
  /** Where the platform's server reaches it. */
  readonly url: string;
}

/** Listens on the loopback address on any port; every request is signed with the key. */
export async function startPrivateServer(options: PrivateServerOptions): Promise<PrivateServer> {
  const server = createServer((request, response) => {
    handle(options, request, response).catch((error: unknown) => {
      options.log.error({ err: error }, "a private request could not be answered");
      response.destroy();
    });
  });
  server.requestTimeout = 60_000;
  server.on("upgrade", (request, socket, head) => upgrade(options, request, { socket, head }));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await options.sockets?.stop();
      server.closeIdleConnections();
      const patience = setTimeout(() => server.closeAllConnections(), 2_000);
      await closed;
      clearTimeout(patience);
    },
  };
}

async function handle(
  options: PrivateServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    answer(response, 200, await perform(options, request));
  } catch (error) {
    const told = isStoreDown(error) ? storeIsDown() : toDomainError(error);
    if (told === null) options.log.error({ err: error, path: request.url }, "a request failed");
    const { code, message, next, details } = told ?? internal();
    answer(response, STATUS[code] ?? 500, {
      error: message,
      code,
      ...(next === undefined ? {} : { next }),
      details,
    });
  }
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  bad_request: 400,
  unauthenticated: 401,
  not_found: 404,
  conflict: 409,
  removed: 410,
  payload_too_large: 413,
  not_available_here: 501,
  upstream_failed: 502,
  workspace_restarting: 503,
  workspace_unreachable: 503,
  platform_unavailable: 503,
};

function storeIsDown(): DomainError {
  return new DomainError("platform_unavailable", "The database cannot be reached right now.", {
    next: "Nothing is lost. Try again in a moment.",
  });
}

function internal(): DomainError {
  return new DomainError("internal", "The worker could not do this.", {
    details: { reference: randomUUID() },
  });
}

function upgrade(
  options: PrivateServerOptions,
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): void {
  // Nobody listens any more once Node has handed the socket over, and an error would be fatal.
  socket.on("error", () => socket.destroy());
  const signed = { nowSeconds: options.nowSeconds(), path: request.url ?? "", body: "" };
  const isKnown = isSigned(options.key, signatureOf(request), signed);
  if (isKnown && options.sockets?.accept(request, socket, head) === true) return;
  const status = isKnown ? "404 Not Found" : "401 Unauthorized";
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function signatureOf(request: IncomingMessage): string | undefined {
  const header = request.headers[WORKER_SIGNATURE_HEADER];
  return Array.isArray(header) ? header[0] : header;
}

async function perform(options: PrivateServerOptions, request: IncomingMessage): Promise<unknown> {
  const path = request.url ?? "";
  const body = await readBody(request);
  const signed = { nowSeconds: options.nowSeconds(), path, body };
  if (!isSigned(options.key, signatureOf(request), signed)) {
    throw new DomainError("unauthenticated", "The signature of this request is not valid.");
  }
  const operation = path.startsWith("/v1/") ? path.slice("/v1/".length) : "";
  if (request.method !== "POST" || !isOperation(operation)) {
    throw new DomainError("not_found", "There is no such operation.");
  }
  return await run(options.operations, operation, body);
}

function isOperation(text: string): text is WorkerOperation {
  return Object.hasOwn(workerOperations, text);
}

async function run<K extends WorkerOperation>(
  operations: Operations,
  operation: K,
  body: string,
): Promise<unknown> {
  const input = workerOperations[operation].input.safeParse(parseJson(body));
  if (!input.success) {
    throw new DomainError("bad_request", "The request has another shape than this operation's.");
  }
  return await operations[operation](input.data as never);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      throw new DomainError("payload_too_large", "The file is larger than 25 MB.");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(body));
}
