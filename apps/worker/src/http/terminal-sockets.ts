import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { terminalAsk, WORKER_TERMINAL_PATH } from "@molecule/contracts/terminal";
import { MAX_TERMINAL_MESSAGE_BYTES } from "@molecule/domain/terminal";
import { WebSocketServer } from "ws";
import type { TerminalSessions } from "../terminal/terminal-sessions.ts";
import { ViewerSocket } from "../terminal/viewer-socket.ts";
import type { PrivateSockets } from "./private-server.ts";

/** How long viewers may take to answer the close when the worker stops. */
const CLOSE_GRACE_MS = 1_000;

/** The terminals of this worker at their path of the private API. */
export function createTerminalSockets(terminals: TerminalSessions): PrivateSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_TERMINAL_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  return {
    accept(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
      const url = new URL(request.url ?? "/", "http://worker");
      const ask = terminalAsk.safeParse(parseJson(url.searchParams.get("ask") ?? ""));
      if (url.pathname !== WORKER_TERMINAL_PATH || !ask.success) return false;
      server.handleUpgrade(request, socket, head, (client) => {
        const viewer = new ViewerSocket(client);
        // attach() never rejects: what goes wrong is told to the viewer.
        void terminals.attach(ask.data, viewer, viewer.gone).then((viewing) => {
          if (viewing !== null) viewer.watch(viewing);
        });
      });
      return true;
    },
    async stop() {
      await terminals.stop();
      const cut = setTimeout(() => {
        for (const client of server.clients) client.terminate();
      }, CLOSE_GRACE_MS);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      clearTimeout(cut);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
