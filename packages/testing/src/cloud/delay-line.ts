import { connect, createServer, type Socket } from "node:net";
import { listenOnLoopback } from "./listen.ts";

/** A relay on loopback that is as far away as it is told. */
export interface DelayLine extends AsyncDisposable {
  readonly port: number;
  /** Ends every connection without a word of the protocols inside. */
  cutAll(): void;
}

/** What a relay does to what passes; read anew for every piece. */
export interface LineFaults {
  /** There and back, in ms. */
  readonly roundTripMs: number;
  /** What comes is lost, now and for ever on connections that were open meanwhile. */
  readonly isBlackHole: boolean;
}

/** Relays TCP to a port on loopback. The connect costs one round trip, like a handshake. */
export async function startDelayLine(targetPort: number, faults: LineFaults): Promise<DelayLine> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = connect({
      port: targetPort,
      host: "127.0.0.1",
      noDelay: true,
      allowHalfOpen: true,
    });
    const pair = [near, far] as const;
    const lost = { isLost: false };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on("error", end);
    carry(near, far, { faults, lost, isFirst: true });
    carry(far, near, { faults, lost, isFirst: false });
    near.on("close", end);
    // What the other side sent last has still its way to go.
    far.on("close", () => setTimeout(() => !lost.isLost && end(), faults.roundTripMs / 2 + 5));
  });
  const port = await listenOnLoopback(server);
  const cutAll = () => {
    for (const [near, far] of pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  };
  return {
    port,
    cutAll,
    [Symbol.asyncDispose]: async () => {
      cutAll();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Way {
  readonly faults: LineFaults;
  /** Shared by both directions of a connection. */
  readonly lost: { isLost: boolean };
  /** The first piece pays for the handshake too. */
  readonly isFirst: boolean;
}

function carry(from: Socket, to: Socket, way: Way): void {
  const queue: { readonly at: number; readonly piece: Buffer | null }[] = [];
  let timer: NodeJS.Timeout | null = null;
  let handshakeMs = way.isFirst ? way.faults.roundTripMs : 0;
  const deliver = (piece: Buffer | null) => {
    if (way.lost.isLost || to.destroyed) return;
    if (piece === null) to.end();
    else if (!to.write(piece)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
  };
  const pump = () => {
    timer = null;
    const now = performance.now();
    while (queue[0] !== undefined && queue[0].at <= now + 0.3)
      deliver(queue.shift()?.piece ?? null);
    if (queue[0] !== undefined) timer = setTimeout(pump, Math.max(0, queue[0].at - now));
  };
  const push = (piece: Buffer | null) => {
    if (way.faults.isBlackHole) way.lost.isLost = true;
    const delayMs = way.faults.roundTripMs / 2 + handshakeMs;
    handshakeMs = 0;
    if (delayMs === 0 && queue.length === 0) return deliver(piece);
    const at = Math.max(performance.now() + delayMs, queue.at(-1)?.at ?? 0);
    queue.push({ at, piece });
    if (timer === null) timer = setTimeout(pump, delayMs);
  };
  from.on("data", push);
  from.on("end", () => push(null));
}
