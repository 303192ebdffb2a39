import type { PooledConnection } from "./pooled-connection.ts";
import type { TunnelTarget } from "./target.ts";

/** A use of a connection. It ends exactly once; `await using` ends it in good order. */
export interface Lease<C extends PooledConnection> extends AsyncDisposable {
  readonly connection: C;
  readonly attemptNo: number | null;
  /** When the connection ends whatever it does, in ms of `performance.now`. */
  readonly endsAtMs: number;
  /** Aborted with a DomainError `superseded` once a newer attempt has the machine. */
  readonly signal: AbortSignal;
  /** `poison`: the connection is given to nobody any more. @throws Error when it is called again. */
  release(verdict?: "keep" | "poison"): void;
}

/** Who wants a connection, and for which attempt. */
export interface ConnectionWish {
  readonly target: TunnelTarget;
  /**
   * An operation of an attempt below the highest that was seen of the machine is refused. Null: the
   * platform's own work on the machine, which belongs to no attempt.
   */
  readonly attemptNo: number | null;
  /** Ends the wait; what is being made goes on for others. */
  readonly signal?: AbortSignal;
}
