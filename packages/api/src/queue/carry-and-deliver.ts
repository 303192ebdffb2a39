import { dropKeptFiles } from "@molecule/db/files/kept-files";
import { markSending, returnToQueue } from "@molecule/db/queue/a2a-queue";
import { rewriteMessage } from "@molecule/db/queue/carried-files";
import { endDelivery } from "@molecule/db/queue/end-delivery";
import { type DeliveryTools, deliver } from "../a2a/delivery.ts";
import type { DeliveryJob, DeliveryOutcome } from "../a2a/delivery-job.ts";
import { type Carried, carryFiles } from "../services/a2a/carry-files.ts";

/** Pause before files that could not be brought are tried again. */
const PAUSE_MS = 5_000;

/**
 * Brings the kept files of a claimed message to its receiver, and then the message with the receiver's
 * own uris. What was brought is written down before anything is sent, so that a message that is tried
 * again brings nothing twice. Rejects when the store is down; the item is then found again. SPEC: KF6.
 */
export async function carryAndDeliver(
  tools: DeliveryTools,
  job: DeliveryJob,
  stop: AbortSignal,
): Promise<DeliveryOutcome> {
  const { allowCidrs } = tools;
  const message = { target: job.target, callerId: job.callerId, body: job.envelope };
  const carried = await carryFiles({ ...tools, platform: { allowCidrs } }, message, stop);
  if (carried.kind !== "carried") return await notBrought(tools, job, { carried, stop });
  const item = { id: job.id, owner: tools.owner };
  const isOurs = await tools.db.transaction(async (tx) => {
    if (!(await rewriteMessage(tx, item, carried.body))) return false;
    await dropKeptFiles(tx, carried.fileIds);
    const { id: workspaceId } = job.target;
    return await markSending(tx, { ...item, workspaceId, isNote: false });
  });
  if (!isOurs) return { kind: "queued", sentence: "Somebody else has the message." };
  return await deliver(tools, { ...job, envelope: carried.body }, stop);
}

async function notBrought(
  tools: DeliveryTools,
  job: DeliveryJob,
  how: { readonly carried: Exclude<Carried, { kind: "carried" }>; readonly stop: AbortSignal },
): Promise<DeliveryOutcome> {
  const { carried, stop } = how;
  const item = { id: job.id, owner: tools.owner };
  const { sentence } = carried;
  return await tools.db.transaction(async (tx) => {
    if (carried.kind === "later") {
      const back = {
        afterMs: stop.aborted ? 0 : (carried.afterMs ?? PAUSE_MS),
        countsAsDelivery: carried.countsAsDelivery && !stop.aborted,
        why: sentence,
      };
      const returned = await returnToQueue(tx, item, back);
      if (returned !== "given_up") return { kind: "queued", sentence } as const;
    }
    await endDelivery(
      tx,
      { id: item.id, owner: null },
      {
        status: "error",
        responseBody: null,
        toolTrace: null,
        errorDetail: sentence,
        durationMs: null,
        wasNeverSent: true,
        isForPerson: job.callerId === null,
      },
    );
    return { kind: "failed", status: 502, sentence } as const;
  });
}
