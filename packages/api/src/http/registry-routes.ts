import { heartbeatBody, machineBody, registerBody, updateCardBody } from "@molecule/contracts/wire";
import { storeCard } from "@molecule/db/registry/cards";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import { z } from "zod";
import type { Auth } from "../context.ts";
import {
  checkAccess,
  discoverAgent,
  findPeers,
  proxyUrl,
} from "../services/registry/find-agents.ts";
import { noteMachine } from "../services/registry/note-machine.ts";
import { recordHeartbeat, recordOrdinaryHeartbeat } from "../services/registry/record-heartbeat.ts";
import { type AgentIdentity, registerAgent } from "../services/registry/register-agent.ts";
import { useBootToken } from "../services/registry/use-boot-token.ts";
import { bootTokenOf } from "./boot-bearer.ts";
import { type Guard, SIGNED_IN, WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route, withShortcut } from "./router.ts";

const accessBody = z.object({ caller_id: z.string().min(1), target_id: z.string().min(1) });

const REGISTER: Guard = { kind: "registry", idField: "id", takesBootToken: true };

/** What agents tell the platform and ask it. Source: wire contract §5. */
export const registryRoutes: readonly Route[] = [
  route("POST", "/registry/register", REGISTER, register),
  withShortcut(
    route(
      "POST",
      "/registry/heartbeat",
      { kind: "registry", idField: "workspace_id" },
      async (context) => {
        const body = await context.body(heartbeatBody);
        return ok(await recordHeartbeat(context.deps, identityOf(context.auth), body));
      },
    ),
    async ({ deps, tokenSha256, body }) => {
      const beat = heartbeatBody.safeParse(body);
      if (!beat.success) return null;
      const answer = await recordOrdinaryHeartbeat(deps, tokenSha256, beat.data);
      return answer === null ? null : ok(answer);
    },
  ),
  route(
    "POST",
    "/registry/update-card",
    { kind: "registry", idField: "workspace_id", allowsMembers: true },
    async (context) => {
      const { agent_card } = await context.body(updateCardBody);
      await context.deps.db.transaction((tx) => storeCard(tx, context.workspaceId, agent_card));
      return ok({ status: "updated" });
    },
  ),
  route(
    "POST",
    "/registry/machine",
    { kind: "registry", idField: "workspace_id" },
    async (context) => {
      const body = await context.body(machineBody);
      return ok(await noteMachine(context.deps, identityOf(context.auth), body));
    },
  ),
  route("GET", "/registry/discover/:id", SIGNED_IN, discover),
  route("GET", "/registry/:id/peers", WORKSPACE, peers),
  route("POST", "/registry/check-access", SIGNED_IN, async (context) => {
    const body = await context.body(accessBody);
    const pair = { callerId: idOf(body.caller_id), targetId: idOf(body.target_id) };
    return ok({ allowed: await checkAccess(context.deps, pair) });
  }),
];

/** With a boot token the answer carries the token of the attempt, once. Source: wire contract §2.3, §5.1. */
async function register({ deps, auth, req, workspaceId, body: read }: RequestContext) {
  const body = await read(registerBody);
  const boot = bootTokenOf(req.headers);
  if (boot === null) return ok(await registerAgent(deps, identityOf(auth), body));
  const { token, attemptNo } = await useBootToken(deps, {
    workspaceId,
    token: boot,
    exchangeId: body.exchange_id ?? null,
  });
  const answer = await registerAgent(deps, { workspaceId, attemptNo }, body);
  return json(200, { ...answer, auth_token: token }, { "cache-control": "no-store" });
}

function identityOf(auth: Auth): AgentIdentity {
  if (auth.kind !== "workspace") {
    throw new DomainError("unauthenticated", "This needs the token of the workspace.");
  }
  return { workspaceId: auth.workspaceId, attemptNo: auth.attemptNo };
}

async function discover(context: RequestContext): Promise<Response> {
  const { deps, auth, req, url, workspaceId } = context;
  const header = req.headers.get("x-workspace-id") ?? "";
  if (header === "") throw new DomainError("bad_request", "The header X-Workspace-ID is missing.");
  const callerId = idOf(header);
  if (auth.kind === "workspace" && auth.workspaceId !== callerId) {
    throw new DomainError(
      "unauthenticated",
      "The token is not one of the workspace in X-Workspace-ID.",
    );
  }
  const found = await discoverAgent(deps, { callerId, targetId: workspaceId });
  return ok({ ...found, url: proxyUrl(url.origin, found.id) });
}

async function peers(context: RequestContext): Promise<Response> {
  const { deps, query, url, workspaceId } = context;
  const found = await findPeers(deps, workspaceId, query.get("q"));
  return ok(
    found.map((peer) => ({
      id: peer.id,
      name: peer.name,
      role: peer.role,
      tier: peer.tier,
      status: peer.status,
      agent_card: peer.agentCard,
      url: proxyUrl(url.origin, peer.id),
      parent_id: peer.parentId,
      active_tasks: peer.activeTasks,
    })),
  );
}

function idOf(text: string): string {
  const id = parseWorkspaceId(text);
  if (id === null) throw new DomainError("bad_request", "A workspace id must be a UUID.");
  return id;
}
