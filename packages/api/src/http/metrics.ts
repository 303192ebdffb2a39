import type { Tally } from "@molecule/db/ledger/tallies";
import type { TallyName } from "@molecule/domain/sets";

/** The counters of the whole platform: how each is called, and its labels. */
const COUNTERS: Readonly<Record<TallyName, readonly [metric: string, label: string]>> = {
  attempts: ["molecule_attempts_total", "reason"],
  restart_requests: ["molecule_restart_requests_total", "source"],
  sweep_actions: ["molecule_sweep_actions_total", "action"],
};

/**
 * Prometheus text of what every process of the platform counted together, since its database began;
 * values never fall. An unreachable database has none: null, and the gauge says so. SPEC: L8.
 */
export function renderTallies(tallies: readonly Tally[] | null): string {
  const lines = ["# TYPE molecule_database_up gauge", `molecule_database_up ${tallies ? 1 : 0}`];
  for (const [name, [metric, label]] of Object.entries(COUNTERS)) {
    const own = (tallies ?? []).filter((one) => one.name === name);
    if (own.length > 0) lines.push(`# TYPE ${metric} counter`);
    for (const one of own) {
      const outcome = one.outcome === "" ? "" : `,outcome="${one.outcome}"`;
      lines.push(`${metric}{${label}="${one.label}"${outcome}} ${one.n}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Counts what the process did since it started. Source: wire contract §17. */
export class Metrics {
  readonly #requests = new Map<string, { count: number; seconds: number }>();
  #sockets = 0;

  /** `path` is the route's pattern, so that the number of series is bounded. */
  request(label: { method: string; path: string; status: number }, seconds: number): void {
    const key = `method="${label.method}",path="${label.path}",status="${label.status}"`;
    const entry = this.#requests.get(key) ?? { count: 0, seconds: 0 };
    entry.count += 1;
    entry.seconds += seconds;
    this.#requests.set(key, entry);
  }

  socketOpened(): void {
    this.#sockets += 1;
  }

  socketClosed(): void {
    this.#sockets -= 1;
  }

  /** Prometheus text. */
  render(process: { readonly rssBytes: number; readonly uptimeSeconds: number }): string {
    const lines = ["# TYPE molecule_http_requests_total counter"];
    for (const [labels, { count }] of this.#requests) {
      lines.push(`molecule_http_requests_total{${labels}} ${count}`);
    }
    lines.push("# TYPE molecule_http_request_duration_seconds_total counter");
    for (const [labels, { seconds }] of this.#requests) {
      lines.push(`molecule_http_request_duration_seconds_total{${labels}} ${seconds.toFixed(6)}`);
    }
    lines.push(
      "# TYPE molecule_websocket_connections_active gauge",
      `molecule_websocket_connections_active ${this.#sockets}`,
      "# TYPE process_resident_memory_bytes gauge",
      `process_resident_memory_bytes ${process.rssBytes}`,
      "# TYPE process_uptime_seconds gauge",
      `process_uptime_seconds ${process.uptimeSeconds.toFixed(3)}`,
    );
    return `${lines.join("\n")}\n`;
  }
}
