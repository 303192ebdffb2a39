import type { Duplex } from "node:stream";
import type { TunnelError } from "./errors.ts";

/** A way to a machine's SSH port that is open: bytes, and an end with a cause. */
export interface Carrier {
  readonly stream: Duplex;
  /** Resolves once, when the way is over; never rejects. */
  readonly ended: Promise<TunnelError>;
  /** Closes it in order and resolves when the other side has let go, or after a second. */
  close(): Promise<void>;
}
