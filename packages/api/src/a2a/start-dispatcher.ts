import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { Database } from "@molecule/db/database";
import { NO_PULSE, type Pulse } from "@molecule/db/processes/pulse";
import { renewLeases } from "@molecule/db/queue/a2a-queue";
import type { DeliveryLease } from "@molecule/db/queue/delivery-lease";
import type { SecretCipher } from "@molecule/db/secrets/cipher";
import type { Log } from "../deps.ts";
import { DrainLoop } from "../queue/drain-loop.ts";
import { type DeliveryTools, deliver } from "./delivery.ts";
import type { DeliveryJob, DeliveryOutcome } from "./delivery-job.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** What a dispatcher is made from. */
export interface DispatcherOptions {
  readonly db: Database;
  readonly log: Log;
  readonly cipher: SecretCipher;
  readonly allowCidrs: readonly string[];
  readonly a2aIdleTimeoutMs: number;
  /** How long a dead process's messages wait to be found. Default 15 000 ms. */
  readonly leaseMs?: number;
  /** How often waiting messages are looked for. Default 1000 ms. */
  readonly pollMs?: number;
  /** Hears of every look for waiting messages. */
  readonly pulse?: Pulse;
}

/** One listener per delivery under way, and there may be thousands. */
function stopping(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** Starts delivering; nothing runs any more after `stop()`. */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  return new A2aDispatcher(options);
}

/**
 * Holds the deliveries under way. An item is in `#running` from the moment its lease is this process's
 * until its end is stored; while it is there the lease is renewed three times per lease time.
 */
class A2aDispatcher implements Dispatcher {
  readonly lease: DeliveryLease;
  readonly #tools: DeliveryTools;
  readonly #running = new Map<string, Promise<DeliveryOutcome>>();
  readonly #stopping = stopping();
  readonly #renewal: NodeJS.Timeout;
  readonly #drain: DrainLoop;

  constructor(options: DispatcherOptions) {
    const owner = `server-${randomUUID()}`;
    this.lease = { owner, leaseMs: options.leaseMs ?? 15_000 };
    this.#tools = {
      db: options.db,
      log: options.log,
      cipher: options.cipher,
      allowCidrs: options.allowCidrs,
      idleTimeoutMs: options.a2aIdleTimeoutMs,
      owner,
    };
    this.#renewal = setInterval(() => this.#renew(), this.lease.leaseMs / 3);
    this.#renewal.unref();
    const pollMs = options.pollMs ?? 1000;
    const { pulse = NO_PULSE } = options;
    const onPass = () => pulse.tick("queue drain", pollMs);
    this.#drain = new DrainLoop(this.#tools, this, { pollMs, onPass });
  }

  deliver(job: DeliveryJob): Promise<DeliveryOutcome> {
    return this.hold(job.id, (stop) => deliver(this.#tools, job, stop));
  }

  hold(id: string, work: (stop: AbortSignal) => Promise<DeliveryOutcome>) {
    const running = work(this.#stopping.signal).finally(() => this.#running.delete(id));
    this.#running.set(id, running);
    // What waits behind it can go now.
    const poke = () => this.#drain.poke();
    running.then((end) => {
      if (end.kind !== "answered" || end.isLineEmpty !== true) poke();
    }, poke);
    // The sender may be gone by then; whoever awaits it still sees the rejection.
    running.catch((err: unknown) => {
      this.#tools.log.error({ err, activity: id }, "the end of a delivery was not stored");
    });
    return running;
  }

  running(id: string): Promise<DeliveryOutcome> | undefined {
    return this.#running.get(id);
  }

  poke(): void {
    this.#drain.poke();
  }

  async stop(graceMs = 2_000): Promise<void> {
    await this.#drain.stop();
    const all = Promise.allSettled(this.#running.values());
    const grace = setTimeout(() => this.#stopping.abort(), graceMs);
    await all;
    clearTimeout(grace);
    clearInterval(this.#renewal);
  }

  #renew(): void {
    renewLeases(this.#tools.db, this.lease, [...this.#running.keys()]).catch((err: unknown) => {
      this.#tools.log.warn({ err }, "leases of messages under way not renewed");
    });
  }
}
