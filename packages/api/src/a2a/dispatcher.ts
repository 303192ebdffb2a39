import type { DeliveryLease } from "@molecule/db/queue/delivery-lease";
import type { DeliveryJob, DeliveryOutcome } from "./delivery-job.ts";

/** Delivers A2A messages. A delivery outlives the request that brought it. */
export interface Dispatcher {
  /** The lease under which this process accepts messages it delivers at once. */
  readonly lease: DeliveryLease;
  /** Delivers a message this process has accepted or claimed, and said to be sending. */
  deliver(job: DeliveryJob): Promise<DeliveryOutcome>;
  /** Runs other work on an item under this process's lease, such as asking for a lost answer. */
  hold(id: string, work: (stop: AbortSignal) => Promise<DeliveryOutcome>): Promise<DeliveryOutcome>;
  /** The delivery of this item, while this process makes it. */
  running(id: string): Promise<DeliveryOutcome> | undefined;
  /** Looks for waiting messages now instead of at the next poll. */
  poke(): void;
  /** Ends the loops; deliveries under way get `graceMs` and are then broken off. */
  stop(graceMs?: number): Promise<void>;
}
