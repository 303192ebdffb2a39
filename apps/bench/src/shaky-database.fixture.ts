import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** An address of a real Postgres that can go away and come back. */
export interface ShakyDatabase extends AsyncDisposable {
  /** For DATABASE_URL. */
  readonly url: string;
  /** Ends every connection and refuses new ones, as a server that was stopped does. */
  goAway(): Promise<void>;
  /** Takes connections again, at the same address. */
  comeBack(): Promise<void>;
}

/** Passes everything on to the server of `url`. */
export async function makeShaky(url: string): Promise<ShakyDatabase> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const take = (client: Socket) => {
    const server = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  };
  const listen = async (port: number): Promise<Server> => {
    const server = createServer(take).listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  let server = await listen(0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  const { port } = address;
  const goAway = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const own = new URL(url);
  own.hostname = "127.0.0.1";
  own.port = String(port);
  return {
    url: own.href,
    goAway,
    comeBack: async () => {
      server = await listen(port);
    },
    [Symbol.asyncDispose]: goAway,
  };
}
