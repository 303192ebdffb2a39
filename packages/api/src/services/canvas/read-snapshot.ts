import type { CanvasSnapshot } from "@molecule/contracts/workspaces";
import { listPendingApprovals } from "@molecule/db/approvals/approval-rows";
import { cursorOf, readHead } from "@molecule/db/events/read-events";
import { readViewport } from "@molecule/db/layouts/layouts";
import { loadNodes } from "@molecule/db/nodes/load-nodes";
import { listGlobalSecrets } from "@molecule/db/secrets/secret-store";
import { listHolds } from "@molecule/db/sweep/holds";
import { type LiveWorker, listLiveWorkers } from "@molecule/db/workers/live-workers";
import type { Auth } from "../../context.ts";
import type { Deps } from "../../deps.ts";
import { listTemplates } from "../templates/list-templates.ts";

/**
 * Everything the canvas opens with. The cursor is read first, so that a change that commits meanwhile
 * is in the nodes or comes on the stream, at worst both.
 */
export async function readSnapshot(deps: Deps, auth: Auth): Promise<CanvasSnapshot> {
  const { db, cipher } = deps;
  const head = await readHead(db);
  const [nodes, viewport, workers, holds, approvals, secrets, templates] = await Promise.all([
    loadNodes(db, { settle: deps.platform.settle }),
    readViewport(db),
    listLiveWorkers(db),
    listHolds(db),
    listPendingApprovals(db),
    listGlobalSecrets(db, cipher),
    listTemplates(deps),
  ]);
  return {
    cursor: cursorOf(head.position),
    at: head.at.toISOString(),
    nodes,
    viewport,
    member:
      auth.kind === "member"
        ? { name: auth.member.name, role: auth.member.role }
        : { name: "Administrator", role: "owner" },
    platform: {
      version: deps.platform.version,
      openApprovals: approvals.length,
      openHolds: holds.filter(({ state }) => state === "open").length,
      ...platformOf(workers),
    },
    templates,
    globalSecretKeys: secrets.filter((secret) => secret.isReadable).map((secret) => secret.key),
  };
}

function platformOf(
  workers: readonly LiveWorker[],
): Omit<CanvasSnapshot["platform"], "version" | "openHolds" | "openApprovals"> {
  const info = workers.find((worker) => worker.info !== null)?.info ?? null;
  return {
    backends: info?.backends ?? [],
    defaultBackend: info?.defaultBackend ?? "process",
    backendNote: info?.backendNote ?? "",
    hasWorker: workers.length > 0,
  };
}
