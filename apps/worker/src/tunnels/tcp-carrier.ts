import { connect } from "node:net";
import type { Carrier } from "./carrier.ts";
import { TunnelError } from "./errors.ts";

const CLOSE_MS = 1_000;

/** A plain TCP connection to a machine. @throws TunnelError `target-unreachable` with the socket's code. */
export async function openTcp(
  to: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Carrier> {
  signal.throwIfAborted();
  const socket = connect({ ...to, noDelay: true });
  const ended = new Promise<TunnelError>((resolve) => {
    socket.once("close", () => resolve(new TunnelError("peer-closed")));
  });
  return await new Promise<Carrier>((resolve, reject) => {
    const onAbort = () => {
      socket.destroy();
      reject(new TunnelError("handshake-timeout"));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", (error: Error & { code?: unknown }) => {
      const facts = typeof error.code === "string" ? { code: error.code } : {};
      reject(new TunnelError("target-unreachable", facts, { cause: error }));
    });
    socket.once("connect", () => {
      signal.removeEventListener("abort", onAbort);
      const close = async () => {
        if (socket.closed) return;
        const late = setTimeout(() => socket.destroy(), CLOSE_MS);
        socket.end();
        socket.resume();
        await ended;
        clearTimeout(late);
      };
      resolve({ stream: socket, ended, close });
    });
  });
}
