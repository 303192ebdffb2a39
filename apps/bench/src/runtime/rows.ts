import type { Row } from "../table.ts";
import { eventRows } from "./events.ts";
import { heartbeatRows } from "./heartbeats.ts";
import { proxyRows } from "./proxy.ts";
import { uploadRows } from "./uploads.ts";

/** What runtimes and their watchers cost the server. */
export async function runtimeRows(): Promise<Row[]> {
  return [
    ...(await proxyRows()),
    ...(await eventRows()),
    ...(await uploadRows()),
    ...(await heartbeatRows()),
  ];
}
