import { startProduct } from "@molecule/testing/product";
import { residentMb } from "./baselines.ts";
import { bareRuntimeMs } from "./create.ts";
import { childrenOf } from "./memory.ts";
import { Platform } from "./platform.ts";
import type { Row } from "./table.ts";

/** Agents of the team: one at the top, nine below it, ten below each of those. */
const TEAMS = 9;
const PER_TEAM = 10;
const AGENTS = 1 + TEAMS + TEAMS * PER_TEAM;
/** The contract's pause between siblings (§11.2), which ours has not. */
const CONTRACT_PAUSE_MS = 2_000;
const BOUND_MS = 15 * 60_000;

/** What is read of an import. */
interface View {
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly nodes: readonly { readonly status: string | null; readonly outcome: string }[];
}

/** A team of a hundred demo agents, imported at once into the built product. */
export async function orgImportRows(): Promise<Row[]> {
  await using product = await startProduct({
    env: { MOLECULE_BACKEND: "process", RATE_LIMIT: "0" },
    timeoutMs: 600_000,
  });
  const platform = new Platform(product.url, product.adminToken);
  const bare = await bareRuntimeMs();
  const pids = await childrenOf(product.process.pid ?? 0);
  const memory = async () =>
    (await Promise.all(pids.map(residentMb))).reduce((sum, part) => sum + part, 0);
  const idle = await memory();
  const importId = crypto.randomUUID();
  const read = async () => {
    const input = encodeURIComponent(JSON.stringify({ id: importId }));
    const answer = await platform.call<{ result: { data: View } }>(
      "GET",
      `/trpc/orgs.readImport?input=${input}`,
    );
    return answer.result.data;
  };
  const started = performance.now();
  const asked = platform
    .call<{ count: number }>("POST", "/org/import", { template: team(), import_id: importId })
    .then(() => performance.now() - started);
  let first = Number.NaN;
  let most = 0;
  let peak = idle;
  let view: View | null = null;
  while (performance.now() - started < BOUND_MS) {
    view = await read().catch(() => null);
    peak = Math.max(peak, await memory());
    if (Number.isNaN(first) && (view?.counts.online ?? 0) > 0) first = performance.now() - started;
    most = Math.max(most, view?.counts.starting ?? 0);
    if (view?.state === "done" || view?.state === "stopped") break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const all = performance.now() - started;
  const answered = await asked;
  const online = view?.nodes.filter(({ status }) => status === "online").length ?? 0;
  console.log(`${view?.nodes.length ?? 0} agents are told of, ${online} of them are online`);
  const row = (name: string, ours: number, rest: Partial<Row>): Row => ({
    row: name,
    ours: [ours],
    baseline: [],
    baselineName: "none",
    unit: "ms",
    ...rest,
  });
  const pauses = [(AGENTS - 1) * CONTRACT_PAUSE_MS];
  return [
    row(`import of ${AGENTS} agents → answer`, answered, {
      baseline: pauses,
      baselineName: "the contract's pauses between siblings alone",
    }),
    row("→ first agent online", first, {
      bar: 5_000,
      baseline: [bare],
      baselineName: "the bare runtime process",
    }),
    row(`→ all ${AGENTS} online`, all, {
      baseline: pauses,
      baselineName: "the contract's pauses between siblings alone",
    }),
    row("agents starting at once, most that was seen", most, {
      unit: "count",
      bar: 3,
      baseline: [3],
      baselineName: "the contract's limit",
    }),
    row("agents of the team that are not online in the end", AGENTS - online, {
      unit: "count",
      bar: 0,
      baseline: [0],
      baselineName: "nobody missing",
    }),
    row("server + worker memory, most during the import", peak, {
      unit: "MB",
      baseline: [idle],
      baselineName: "before it",
    }),
  ];
}

function team() {
  const names = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
  return {
    name: "A hundred",
    defaults: { runtime: "demo" },
    workspaces: [
      {
        name: "Lead",
        children: names(TEAMS).map((n) => ({
          name: `Team ${n}`,
          children: names(PER_TEAM).map((m) => ({ name: `Agent ${n}.${m}` })),
        })),
      },
    ],
  };
}
