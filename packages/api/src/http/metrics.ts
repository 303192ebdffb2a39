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
