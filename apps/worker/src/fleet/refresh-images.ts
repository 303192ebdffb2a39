import type { RefreshResult } from "@molecule/contracts/fleet";
import type { Database } from "@molecule/db/database";
import { recreateOnImage, runtimesOnBackend } from "@molecule/db/fleet/recreate-on-image";
import { type Actor, RUNTIMES, type Runtime } from "@molecule/domain/sets";
import type { SettleSettings } from "@molecule/domain/settle";
import type { ImageProgress } from "../images/image-engine.ts";
import type { Log } from "../runtime/log.ts";
import type { FleetImages, FreshImage } from "./fleet-images.ts";

/** What a refresh works with. */
export interface RefreshDeps {
  readonly db: Database;
  readonly images: FleetImages;
  readonly settle: SettleSettings;
  readonly log: Log;
}

/** One refresh. */
export interface RefreshRequest {
  /** Null: of every runtime. */
  readonly runtime: Runtime | null;
  /** Workspaces on an older image start again. */
  readonly recreate: boolean;
  readonly actor: Actor;
}

/** How a refresh tells what it does; `onResult` after each runtime. */
export interface RefreshProgress extends ImageProgress {
  readonly onResult: (result: RefreshResult) => Promise<void>;
}

/**
 * Pulls the images again, each for itself, and has the workspaces on an older one start again. Repeating
 * it is harmless: what runs on the newest image is left alone. `before` is what an earlier worker had
 * done of it. SPEC: I8, I9.
 */
export async function refreshImages(
  deps: RefreshDeps,
  request: RefreshRequest,
  progress: RefreshProgress,
  before: RefreshResult | null = null,
): Promise<RefreshResult> {
  const pulled: Runtime[] = [];
  const failed: Runtime[] = [];
  const recreated = new Set(before?.recreated);
  const resultNow = () => ({ pulled: [...pulled], failed: [...failed], recreated: [...recreated] });
  for (const runtime of await runtimesOf(deps, request)) {
    const fresh = await refreshOne(deps, runtime, progress);
    if (fresh === null) {
      failed.push(runtime);
    } else {
      if (fresh.isPulled) pulled.push(runtime);
      if (request.recreate) {
        for (const id of await recreateOlder(deps, request.actor, runtime, fresh)) {
          recreated.add(id);
        }
      }
    }
    await progress.onResult(resultNow());
  }
  return resultNow();
}

/** With a registry every runtime has an image there; without one only those that are used matter. */
async function runtimesOf(deps: RefreshDeps, request: RefreshRequest): Promise<readonly Runtime[]> {
  if (request.runtime !== null) return [request.runtime];
  if (!deps.images.isPublished) return await runtimesOnBackend(deps.db, "docker");
  return RUNTIMES.filter((runtime) => runtime !== "external");
}

async function refreshOne(
  { images, log }: RefreshDeps,
  runtime: Runtime,
  progress: RefreshProgress,
): Promise<FreshImage | null> {
  try {
    return await images.refresh(runtime, progress);
  } catch (error) {
    progress.signal.throwIfAborted();
    log.warn({ err: error, runtime }, "an image could not be refreshed");
    progress.onProgress(`The ${runtime} image could not be refreshed`);
    return null;
  }
}

async function recreateOlder(
  { db, images, settle, log }: RefreshDeps,
  actor: Actor,
  runtime: Runtime,
  fresh: FreshImage,
): Promise<readonly string[]> {
  const recreated: string[] = [];
  for (const { workspaceId, attemptNo, imageId } of await images.inUse()) {
    if (imageId === fresh.imageId) continue;
    const seen = { workspaceId, attemptNo, runtime, actor, settings: settle };
    if (!(await recreateOnImage(db, { ...seen, reference: fresh.reference }))) continue;
    recreated.push(workspaceId);
    log.info(
      { workspace: workspaceId, image: fresh.reference },
      "a workspace starts on a newer image",
    );
  }
  return recreated;
}
