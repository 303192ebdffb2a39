import { setTimeout as delay } from "node:timers/promises";
import type { platformToolInputs } from "@molecule/contracts/platform-tools";
import { APPROVAL_STATES } from "@molecule/domain/sets";
import { z } from "zod";
import { type PlatformClient, refusalOf } from "./platform-client.ts";

/** Clients of the protocol give a call up after a minute unless they are told otherwise. */
const DEFAULT_WAIT_SECONDS = 45;
const ASK_EVERY_MS = 2_000;

type Client = Pick<PlatformClient, "call" | "workspaceId">;

const asked = z.object({ approval_id: z.string() });
const requests = z.array(
  asked.extend({ status: z.enum(APPROVAL_STATES), decided_by: z.string().nullish() }),
);

/** Asks a person and waits a while for the answer; the text says it. @throws PlatformRefusal | NoAnswerError */
export async function requestApproval(
  client: Client,
  { action, reason, wait_seconds }: z.infer<typeof platformToolInputs.request_approval>,
  signal?: AbortSignal,
): Promise<string> {
  const body = await checked(client, { method: "POST", body: { action, reason: reason ?? "" } });
  const { approval_id } = asked.parse(body);
  const seconds = wait_seconds ?? DEFAULT_WAIT_SECONDS;
  return await checkApproval(client, { approval_id, wait_seconds: seconds }, signal);
}

/** How a request stands, once it is answered or the time is over. @throws PlatformRefusal | NoAnswerError */
export async function checkApproval(
  client: Client,
  { approval_id: id, wait_seconds }: z.infer<typeof platformToolInputs.check_approval>,
  signal?: AbortSignal,
): Promise<string> {
  const until = performance.now() + (wait_seconds ?? 0) * 1_000;
  for (;;) {
    const rows = requests.parse(await checked(client, { method: "GET" }));
    const found = rows.find((row) => row.approval_id === id);
    if (found === undefined) return `There is no request ${id} among your newest 100.`;
    if (found.status === "approved") return `Approved by ${found.decided_by ?? "a person"}.`;
    if (found.status === "denied") {
      return `Denied by ${found.decided_by ?? "a person"}. Do not do it.`;
    }
    const leftMs = until - performance.now();
    if (leftMs <= 0 || signal?.aborted === true) return pending(id);
    // A call that is given up ends the wait, not the request.
    await delay(Math.min(ASK_EVERY_MS, leftMs), undefined, signal && { signal }).catch(() => null);
  }
}

function pending(id: string): string {
  return `Nobody has answered yet. The request id is ${id}; check_approval tells the answer. Unanswered, it is denied after ten minutes.`;
}

async function checked(
  client: Client,
  request: { readonly method: "GET" | "POST"; readonly body?: unknown },
): Promise<unknown> {
  const path = `/workspaces/${encodeURIComponent(client.workspaceId)}/approvals`;
  const answer = await client.call({ ...request, path });
  if (answer.status < 200 || answer.status > 299) throw refusalOf(answer);
  return answer.body;
}
