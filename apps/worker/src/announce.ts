import type { WorkerInfo } from "@molecule/contracts/worker-info";
import type { Database } from "@molecule/db/database";
import type { Pulse } from "@molecule/db/processes/pulse";
import { announceWorker, withdrawWorker } from "@molecule/db/workers/worker-rows";
import type { Backend } from "@molecule/domain/sets";
import type { ComputeBackend } from "./provisioning/compute-backend.ts";
import type { Log } from "./runtime/log.ts";
import { RunLoop } from "./runtime/run-loop.ts";
import type { Stoppable } from "./runtime/scope.ts";

/** A third of the time after which a worker counts as gone. Source: plan of the private API. */
const BEAT_EVERY_MS = 5_000;

/** What a worker tells about itself. */
export interface AnnounceOptions {
  readonly db: Database;
  readonly id: string;
  readonly url: string;
  readonly backends: readonly ComputeBackend[];
  /** Backends that no setting of this platform names: told as not available, with what to set. */
  readonly notConfigured: readonly { readonly name: Backend; readonly note: string }[];
  /** `auto` takes the control plane of an organisation that has one, else Docker where its engine answers. */
  readonly wanted: "auto" | "process" | "docker" | "control-plane";
  /** Null: the deployment is of nobody in particular. */
  readonly orgId: string | null;
  /** Address on which containers reach the platform; null without Docker. Never throws. */
  readonly bridgeGateway: () => Promise<string | null>;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

/** The announced worker. */
export interface Announcement extends Stoppable {
  /** What was told first. */
  readonly info: WorkerInfo;
}

/** Announces the worker, repeats it every five seconds, and withdraws it at the end. */
export async function announce(options: AnnounceOptions): Promise<Announcement> {
  const { db, id, url, log } = options;
  const info = await readInfo(options);
  await announceWorker(db, { id, url, info });
  const loop = new RunLoop({
    name: "announce",
    everyMs: BEAT_EVERY_MS,
    firstAfterMs: BEAT_EVERY_MS,
    run: async () => await announceWorker(db, { id, url, info: await readInfo(options) }),
    pulse: options.pulse,
    log,
  });
  return {
    info,
    stop: async () => {
      await loop.stop();
      await withdrawWorker(db, id);
    },
  };
}

async function readInfo(options: AnnounceOptions): Promise<WorkerInfo> {
  const configured = await Promise.all(
    options.backends.map(async (backend) => ({
      name: backend.kind,
      ...(await backend.availability()),
    })),
  );
  const others = options.notConfigured.map((one) => ({ ...one, isAvailable: false }));
  const backends = [...configured, ...others];
  const defaultBackend = chooseBackend(options, backends);
  const gateway = await options.bridgeGateway();
  return {
    backends,
    defaultBackend,
    backendNote: noteOf(options.wanted, defaultBackend, backends),
    bridgeGateway: gateway,
  };
}

type Offer = WorkerInfo["backends"][number];

/**
 * The backend of new workspaces: the wanted one, or the control plane of an organisation that has one, or
 * Docker where it can be used, else processes. Source: wire contract §19.3.
 */
export function chooseBackend(
  { wanted, orgId }: Pick<AnnounceOptions, "wanted" | "orgId">,
  offers: readonly Offer[],
): Backend {
  if (wanted !== "auto") return wanted;
  const has = (name: Backend) => offers.some((offer) => offer.name === name && offer.isAvailable);
  if (orgId !== null && has("control-plane")) return "control-plane";
  return has("docker") ? "docker" : "process";
}

function noteOf(
  wanted: AnnounceOptions["wanted"],
  chosen: Backend,
  offers: readonly Offer[],
): string {
  const own = offers.find((offer) => offer.name === chosen)?.note ?? "";
  const docker = offers.find((offer) => offer.name === "docker");
  const explainsDocker = wanted === "auto" && chosen === "process" && docker !== undefined;
  return explainsDocker ? `${own} ${docker.note}`.trim() : own;
}
