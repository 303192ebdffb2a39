import { once } from "node:events";
import http from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A way to a platform on which every call of the page takes longer. */
export interface DelayingProxy extends AsyncDisposable {
  readonly url: string;
  /** Calls of the page that were begun, in order, as `GET /path`; whoever counts empties it. */
  readonly calls: string[];
  /** How many of them have no whole answer yet. */
  waiting(): number;
}

/**
 * Passes everything on to `target`. What a script of the page asks for waits `delayMs` first; the page
 * itself, its files and its socket do not.
 */
export async function startDelayingProxy(target: string, delayMs: number): Promise<DelayingProxy> {
  const { hostname: host, port } = new URL(target);
  const calls: string[] = [];
  const sockets = new Set<Socket>();
  let waiting = 0;

  const pass = async (req: http.IncomingMessage, res: http.ServerResponse) => {
    if (isCall(req)) {
      calls.push(`${req.method} ${req.url?.split("?")[0]}`);
      waiting += 1;
      res.once("close", () => {
        waiting -= 1;
      });
      await delay(delayMs);
    }
    const { method, url: path, headers } = req;
    const onward = http.request({ host, port, method, path, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on("error", () => res.destroy());
    req.pipe(onward);
  };
  const server = http.createServer((req, res) => void pass(req, res));
  server.on("upgrade", (req, socket: Socket, head: Buffer) => {
    const onward = connect(Number(port), host, () => {
      const lines = [`${req.method} ${req.url} HTTP/1.1`];
      for (let at = 0; at < req.rawHeaders.length; at += 2) {
        lines.push(`${req.rawHeaders[at]}: ${req.rawHeaders[at + 1]}`);
      }
      onward.write(`${lines.join("\r\n")}\r\n\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const one of [socket, onward]) {
      sockets.add(one);
      one.on("error", () => undefined);
      one.once("close", () => {
        sockets.delete(one);
        socket.destroy();
        onward.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    waiting: () => waiting,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** A browser marks what a script fetches; files of the page that are fetched so are left out. */
function isCall(req: http.IncomingMessage): boolean {
  return req.headers["sec-fetch-dest"] === "empty" && req.url?.startsWith("/_next/") !== true;
}
