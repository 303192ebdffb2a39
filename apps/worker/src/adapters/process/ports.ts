import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the range from which systems take ports for outgoing connections. */
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;
const TRIES = 200;

/** A port of the loopback address on which nothing listens and that is not in `avoid`. */
export async function findFreePort(avoid: ReadonlySet<number>): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (!avoid.has(port) && (await canListen(port))) return port;
  }
  throw new Error(`No free port was found between ${FIRST_PORT} and ${LAST_PORT}.`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
