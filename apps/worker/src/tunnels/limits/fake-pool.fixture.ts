import { DEFAULT_TUNNEL_SETTINGS, type TunnelSettings } from "@molecule/domain/tunnel-pool";
import { TunnelError } from "../errors.ts";
import { LOG, localPlaces, machine } from "../light-bed.fixture.ts";
import type { PooledConnection, Route } from "../pooled-connection.ts";
import type { TunnelTarget } from "../target.ts";
import { TunnelPool } from "../tunnel-pool.ts";

/** A connection that ends when it is told to, or breaks when a test says so. */
export class FakeConnection implements PooledConnection {
  fault: TunnelError | null = null;
  readonly number: number;
  readonly ended: Promise<TunnelError>;
  #tell: (fault: TunnelError) => void = () => undefined;

  constructor(number: number) {
    this.number = number;
    this.ended = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  break(fault: TunnelError): TunnelError {
    this.fault ??= fault;
    this.#tell(this.fault);
    return this.fault;
  }

  close(): Promise<void> {
    this.break(new TunnelError("pool-closed"));
    return Promise.resolve();
  }
}

/** A pool over fakes, whose clock only moves when it is told to. */
export interface FakePool {
  readonly pool: TunnelPool<Route, FakeConnection>;
  /** Every connection that was made, in order. */
  readonly made: FakeConnection[];
  /** Dials, failed ones included. */
  dials: number;
  /** What the next dial does first; it fails when this throws. */
  onDial: (target: TunnelTarget) => Promise<void>;
  /** Moves the clock; what is due happens within the next 20 ms. */
  passMs(ms: number): void;
}

export function fakePool(change: Partial<TunnelSettings> = {}): FakePool {
  const settings = { ...DEFAULT_TUNNEL_SETTINGS, ...change };
  let now = 0;
  const made: FakeConnection[] = [];
  const fake: Omit<FakePool, "pool"> = {
    made,
    dials: 0,
    onDial: () => Promise.resolve(),
    passMs: (ms) => {
      now += ms;
    },
  };
  const pool = new TunnelPool<Route, FakeConnection>({
    settings,
    log: LOG,
    nowMs: () => now,
    random: () => 0.5,
    places: localPlaces(settings.maxPerEndpoint),
    dialer: {
      route: () => Promise.resolve({ endpoint: "one" }),
      forgetRoute: () => undefined,
      dial: async (target) => {
        fake.dials += 1;
        await fake.onDial(target);
        const connection = new FakeConnection(made.length);
        made.push(connection);
        return connection;
      },
    },
  });
  return Object.assign(fake, { pool });
}

/** Wish of one attempt for the n-th machine. */
export function wishOf(index = 0, attemptNo = 1) {
  return { target: machine(index), attemptNo, isIdempotent: true };
}
