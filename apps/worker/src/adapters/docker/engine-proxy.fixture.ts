import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

/**
 * What happens to one request: `lose` does it and loses the answer; a status is answered instead of
 * doing it, `after` doing it where that is set; null passes it on.
 */
export type EngineFault =
  | "lose"
  | { readonly status: number; readonly message: string; readonly after?: boolean }
  | null;

/** An address of a real engine whose answers a test can spoil. */
export interface EngineProxy extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly dockerHost: string;
  /** Asked for each request from now on; the address is without the API's version. */
  spoil(fault: ((method: string, address: string) => EngineFault) | null): void;
  /** Nothing is answered any more, or again. */
  isDown: boolean;
}

/** Passes everything on to the engine of `dockerHost`, over a socket of its own. */
export async function openEngineProxy(dockerHost: string | undefined): Promise<EngineProxy> {
  const folder = await mkdtemp(path.join(tmpdir(), "molecule-engine-proxy-"));
  const socket = path.join(folder, "engine.sock");
  const engine = (dockerHost ?? "unix:///var/run/docker.sock").replace(/^unix:\/\//, "");
  let faultOf: (method: string, address: string) => EngineFault = () => null;
  const server = createServer((asked, answer) => {
    if (proxy.isDown) {
      asked.destroy();
      return;
    }
    const address = (asked.url ?? "").replace(/^\/v[\d.]+/, "");
    void passOn(engine, { asked, answer }, faultOf(asked.method ?? "", address));
  });
  const proxy: EngineProxy = {
    dockerHost: `unix://${socket}`,
    isDown: false,
    spoil: (fault) => {
      faultOf = fault ?? (() => null);
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  // The engine keeps idle connections, so its client does not expect one to be gone.
  server.keepAliveTimeout = 0;
  server.listen(socket);
  await once(server, "listening");
  return proxy;
}

interface Exchange {
  readonly asked: IncomingMessage;
  readonly answer: ServerResponse;
}

async function passOn(engine: string, { asked, answer }: Exchange, fault: EngineFault) {
  const isStatus = typeof fault === "object" && fault !== null;
  const refuse = (status: number, message: string) =>
    answer
      .writeHead(status, { "content-type": "application/json" })
      .end(JSON.stringify({ message }));
  if (isStatus && fault.after !== true) {
    asked.resume();
    refuse(fault.status, fault.message);
    return;
  }
  const { method, url } = asked;
  // Whether a connection is kept is between the two at its ends.
  const { connection: _, ...headers } = asked.headers;
  const onward = request({ socketPath: engine, method, path: url, headers });
  onward.on("error", () => answer.destroy());
  answer.on("close", () => {
    if (!answer.writableFinished) onward.destroy();
  });
  onward.on("response", (given) => {
    if (fault === null) {
      const { connection: __, ...rest } = given.headers;
      answer.writeHead(given.statusCode ?? 500, rest);
      // A stream of events answers long before its first event.
      answer.flushHeaders();
      given.pipe(answer);
      return;
    }
    given.resume();
    given.on("end", () => {
      if (isStatus) refuse(fault.status, fault.message);
      else answer.destroy();
    });
  });
  asked.pipe(onward);
}
