import { randomUUID } from "node:crypto";
import { attemptToken } from "@molecule/db/tokens/attempt-token";
import type { ComputeBackend } from "../provisioning/compute-backend.ts";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import type { FakePlatform } from "../restart/fake-platform.ts";
import { Prober } from "../restart/prober.ts";
import { Reconciler } from "../restart/reconciler.ts";
import type { RestartBed } from "../restart/restart-bed.fixture.ts";
import { Sweeper } from "../restart/sweeper.ts";
import { SILENT_LOG } from "../runtime/log.ts";

/** A worker's parts on a real backend; its agents beat when the test says so. */
export interface RealPlatform {
  /** Workspaces, writes and what the database says. */
  readonly platform: FakePlatform;
  readonly prober: Prober;
  readonly sweeper: Sweeper;
  /** The bearer that this attempt was given. */
  tokenOf(workspaceId: string, attemptNo: number): Promise<string>;
  /** Beats as the agent of this attempt, once its start is recorded, until it is ready. */
  beatUntilReady(workspaceId: string, attemptNo: number): Promise<void>;
  stop(): Promise<void>;
}

const RARELY = { probeEveryMs: 3_600_000, sweepEveryMs: 3_600_000, orphanGraceMs: 0 };

/** Opens one; what runs on the backend afterwards is the caller's to remove. */
export function openRealPlatform(bed: RestartBed, backend: ComputeBackend): RealPlatform {
  const kind = backend.kind === "docker" ? "docker" : "process";
  const platform = bed.open({
    agentsBeat: false,
    backend: new FakeBackend(kind),
    settings: RARELY,
  });
  const { settings, sources } = platform;
  const { db } = bed.database;
  const worker = new Reconciler({
    db,
    owner: randomUUID(),
    backendOf: (wanted) => (wanted === kind ? backend : null),
    sources,
    settings,
    failpoint: async () => undefined,
    log: SILENT_LOG,
  });
  const watched = { db, backends: [backend], settings, log: SILENT_LOG };
  const prober = new Prober({ ...watched, answersHttp: async () => true });
  const sweeper = new Sweeper(watched);
  const tokenOf = async (workspaceId: string, attemptNo: number) => {
    const [row] = await bed.sql`
      SELECT create_token FROM attempts WHERE workspace_id = ${workspaceId} AND no = ${attemptNo}`;
    const createToken = String(row?.create_token);
    return attemptToken(sources.tokenKey, { workspaceId, attemptNo, createToken }).token;
  };
  return {
    platform,
    prober,
    sweeper,
    tokenOf,
    beatUntilReady: async (workspaceId, attemptNo) => {
      await bed.isBooting(platform, workspaceId, attemptNo);
      await platform.beatWithToken(await tokenOf(workspaceId, attemptNo));
      await bed.isReady(platform, workspaceId, attemptNo);
      await bed.isAtRest(platform, workspaceId);
    },
    stop: async () => {
      await prober.stop();
      await sweeper.stop();
      await worker.stop();
    },
  };
}
