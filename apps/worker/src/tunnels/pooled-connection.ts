import type { TunnelError } from "./errors.ts";
import type { TunnelTarget } from "./target.ts";

/** What the pool needs to know of a connection. */
export interface PooledConnection {
  /** Resolves once, when it can no longer be used; never rejects. */
  readonly ended: Promise<TunnelError>;
  /** Null while it can be used. */
  readonly fault: TunnelError | null;
  /** Ends it in order, whatever still runs. Resolves when the other side has let go or a time is over. */
  close(): Promise<void>;
}

/** Where a machine is reached. */
export interface Route {
  /** What shares one cap of connections: `account/region/eice-…`. */
  readonly endpoint: string;
}

/** How connections come about. Both steps fail with {@link TunnelError} alone. */
export interface Dialer<R extends Route, C extends PooledConnection> {
  /** Costs no connection; cached. */
  route(target: TunnelTarget, signal: AbortSignal): Promise<R>;
  dial(target: TunnelTarget, route: R, signal: AbortSignal): Promise<C>;
  /** What was known of the way may be wrong: it is found anew. */
  forgetRoute(target: TunnelTarget): void;
}

/** One of the connections that an endpoint allows. */
export interface HeldPlace {
  free(): Promise<void>;
}

/** The places of all endpoints over all workers. */
export interface Places {
  /** A place, or null when all are taken; `used` counts those of everybody. */
  take(
    endpoint: string,
    machine: string,
    onLost: () => void,
  ): Promise<{ readonly place: HeldPlace | null; readonly used: number }>;
  /** Calls back when another worker waits for a place of this endpoint. */
  onWanted(listener: (endpoint: string) => void): void;
}
