import type { Queryable } from "@molecule/db/database";
import { listLiveWorkers } from "@molecule/db/workers/live-workers";
import { type Answering, type Listener, listen } from "./listener.ts";

/** What the listeners are made from. */
export interface BridgeOptions {
  readonly db: Queryable;
  readonly api: Answering;
  /** The public port; containers use the same number. */
  readonly port: number;
  /** Where the public listener is; an address it covers is not listened on again. */
  readonly host: string;
  readonly log: {
    info(data: object, message: string): void;
    warn(data: object, message: string): void;
  };
}

/** The first container after a start waits for this: it cannot register before. */
const LOOK_EVERY_MS = 1000;
const EVERYWHERE = ["0.0.0.0", "::"];

/**
 * Listens for containers on the bridge gateways that live workers name, and stops when none names one
 * any more. An address that cannot be had yet is tried again with the next look.
 */
export function startBridgeListeners(options: BridgeOptions): { stop(): Promise<void> } {
  const { db, api, port, host, log } = options;
  const open = new Map<string, Listener>();
  const failing = new Set<string>();

  const openOne = async (address: string) => {
    try {
      open.set(address, await listen(api, { host: address, port }));
      failing.delete(address);
      log.info({ address, port }, "listening for containers");
    } catch (err) {
      if (!failing.has(address)) log.warn({ err, address }, "cannot listen for containers yet");
      failing.add(address);
    }
  };
  const look = async () => {
    const workers = await listLiveWorkers(db);
    // While no worker is seen nothing is decided: it may only be restarting.
    if (workers.length === 0 || EVERYWHERE.includes(host)) return;
    const named = workers.map((worker) => worker.info?.bridgeGateway ?? host);
    const wanted = new Set(named.filter((address) => address !== host));
    for (const address of wanted) if (!open.has(address)) await openOne(address);
    for (const [address, listener] of open) {
      if (wanted.has(address)) continue;
      open.delete(address);
      await listener.close(1000);
    }
  };
  let pass: Promise<void> = Promise.resolve();
  let isRunning = false;
  const tick = () => {
    if (isRunning) return;
    isRunning = true;
    pass = look()
      .catch((err: unknown) => log.info({ err }, "the workers could not be read"))
      .finally(() => {
        isRunning = false;
      });
  };
  tick();
  const timer = setInterval(tick, LOOK_EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await pass;
      await Promise.all([...open.values()].map((listener) => listener.close(1000)));
    },
  };
}
