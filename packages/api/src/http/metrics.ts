import type { Tally } from "@molecule/db/ledger/tallies";
import type { TallyName } from "@molecule/domain/sets";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** What the text is, for whoever scrapes it. */
export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** A counter of the whole platform: how it is called, what it counts, and its label. */
interface PlatformCounter {
  readonly metric: string;
  readonly help: string;
  readonly label: string;
}

const COUNTERS: Readonly<Record<TallyName, PlatformCounter>> = {
  attempts: {
    metric: "molecule_attempts_total",
    help: "Attempts of all workspaces, by reason and outcome.",
    label: "reason",
  },
  restart_requests: {
    metric: "molecule_restart_requests_total",
    help: "What asked for a restart, by source and what became of it.",
    label: "source",
  },
  sweep_actions: {
    metric: "molecule_sweep_actions_total",
    help: "What sweeps did.",
    label: "action",
  },
  tunnels: {
    metric: "molecule_tunnels_total",
    help: "What the pool of connections to machines did; wait_ms is how long callers waited together.",
    label: "count",
  },
};

/** What the database knows of the whole platform. */
export interface PlatformCounts {
  readonly tallies: readonly Tally[];
  /** Workspaces whose saved changes are held. */
  readonly held: number;
}

/**
 * Prometheus text of what every process of the platform counted together, since its database began;
 * counters never fall. An unreachable database has none: null, and the gauge says so. SPEC: L8.
 */
export async function renderTallies(counts: PlatformCounts | null): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const up = { name: "molecule_database_up", help: "1 while the database answers.", registers };
  new Gauge(up).set(counts === null ? 0 : 1);
  if (counts !== null) {
    const help = "Workspaces whose saved changes wait until somebody applies them.";
    new Gauge({ name: "molecule_held_workspaces", help, registers }).set(counts.held);
  }
  for (const [name, { metric, help, label }] of Object.entries(COUNTERS)) {
    const labelNames = [label, "outcome"];
    const counter = new Counter({ name: metric, help, labelNames, registers });
    for (const one of (counts?.tallies ?? []).filter((tally) => tally.name === name)) {
      const outcome = one.outcome === "" ? {} : { outcome: one.outcome };
      counter.inc({ [label]: one.label, ...outcome }, one.n);
    }
  }
  return await registry.metrics();
}

/** What Node tells of this process: made when it is first asked for, and once for all who count. */
let ofThisProcess: Registry | null = null;

function processRegistry(): Registry {
  if (ofThisProcess !== null) return ofThisProcess;
  const register = new Registry();
  collectDefaultMetrics({ register });
  new Gauge({
    name: "process_uptime_seconds",
    help: "Seconds since this process began.",
    registers: [register],
    collect() {
      this.set(process.uptime());
    },
  });
  ofThisProcess = register;
  return register;
}

/** Counts what the process did since it started. Source: wire contract §17. */
export class Metrics {
  readonly #process = processRegistry();
  readonly #own = new Registry();
  readonly #requests: Counter<"method" | "path" | "status">;
  readonly #seconds: Counter<"method" | "path" | "status">;
  readonly #sockets: Gauge;

  constructor() {
    const registers = [this.#own];
    const labelNames = ["method", "path", "status"] as const;
    this.#requests = new Counter({
      name: "molecule_http_requests_total",
      help: "Requests that were answered, by the pattern of their route.",
      labelNames,
      registers,
    });
    this.#seconds = new Counter({
      name: "molecule_http_request_duration_seconds_total",
      help: "How long they took together.",
      labelNames,
      registers,
    });
    this.#sockets = new Gauge({
      name: "molecule_websocket_connections_active",
      help: "WebSockets that are open now.",
      registers,
    });
  }

  /** `path` is the route's pattern, so that the number of series is bounded. */
  request(label: { method: string; path: string; status: number }, seconds: number): void {
    this.#requests.inc(label, 1);
    this.#seconds.inc(label, seconds);
  }

  socketOpened(): void {
    this.#sockets.inc();
  }

  socketClosed(): void {
    this.#sockets.dec();
  }

  /** Prometheus text of this process. */
  async render(): Promise<string> {
    return `${await this.#process.metrics()}\n${await this.#own.metrics()}`;
  }
}
