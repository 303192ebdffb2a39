import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** What answers on an address. */
export interface Answering {
  serve(req: IncomingMessage, res: ServerResponse): Promise<void>;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** One address that is listened on. */
export interface Listener {
  readonly port: number;
  /** Takes no new connections, waits for requests under way at most `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/** Whole headers of a request must come within this; slow senders are cut. */
const HEADERS_TIMEOUT_MS = 20_000;
const MAX_HEADERS = 100;

/** Listens. Rejects with Node's error when the address cannot be had. */
export async function listen(
  api: Answering,
  address: { readonly host: string; readonly port: number },
): Promise<Listener> {
  const server = createServer((req, res) => {
    // serve() never rejects.
    void api.serve(req, res);
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.maxHeadersCount = MAX_HEADERS;
  server.on("upgrade", (req, socket, head) => api.upgrade(req, socket, head));
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...address, exclusive: true }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  return { port, close: (graceMs) => closeServer(server, graceMs) };
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}
