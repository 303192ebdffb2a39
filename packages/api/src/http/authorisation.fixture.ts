/**
 * Who may call what: one line for every route and every procedure. Source: wire contract §2.2, §2.3 as
 * replaced by architecture 11; security C2 rows 2, 5 and 6. What is not listed here fails the test.
 */

/** Who is meant to get through. */
export type Access =
  /** Anyone; nothing is refused. */
  | "open"
  /** Anyone learns id and status; the rest needs a credential. */
  | "minimum"
  /** Members, the admin token, and this machine. */
  | "metrics"
  /** Any live credential. */
  | "known"
  /** Any live credential that may speak to the workspace in the path. */
  | "hierarchy"
  /** The workspace, those below it, and people. */
  | "below"
  /** Members (viewers look only) and the admin token. */
  | "people"
  /** The admin token alone. */
  | "operator"
  /** The workspace in the path, and people. */
  | "own"
  /** The workspace in the path and nobody else, no person either. */
  | "own-only"
  /** The workspace that the body names. */
  | "agent"
  /** The same, and people. */
  | "agent-or-people";

/** One route. */
export interface RouteAccess {
  readonly access: Access;
  /** A body that gets as far as whoever decides; absent: the guard decides before it is read. */
  readonly body?: unknown;
  /** Statuses of identities that differ from those of its kind. */
  readonly but?: Readonly<Record<string, number | "passes">>;
  /** A removed workspace in the path is not answered with 410: the handler tells it. */
  readonly removedIs?: number;
}

const own: RouteAccess = { access: "own" };
const people: RouteAccess = { access: "people" };
const agent: RouteAccess = { access: "agent" };
/** Everybody with a credential may ask, a viewer too. */
const NO_CHANGE = { viewer: "passes" } as const;
/** Where the header names the caller, a name that is no workspace's is a bad request. */
const NO_SUCH_CALLER = { "a stranger as system:": 400, "its own token as system:": 400 } as const;

/** A shell is no look at something: a viewer has none, and the caller is who the token says. */
const terminal: RouteAccess = {
  access: "own",
  but: { viewer: 403, "its own token as system:": 401 },
  removedIs: 401,
};

/** Every plain route, as `allRoutes` has it. */
export const ROUTE_ACCESS: Readonly<Record<string, RouteAccess>> = {
  "GET /health": { access: "open" },
  "GET /buildinfo": { access: "open" },
  "GET /sign-in": { access: "open" },
  "POST /sign-in": { access: "open" },
  "GET /workspaces/:id": { access: "minimum", removedIs: 410 },
  "GET /metrics": { access: "metrics" },

  "GET /canvas/viewport": { access: "known" },
  "PUT /canvas/viewport": { access: "known", body: { x: 1, y: 2, zoom: 1 } },
  "GET /events/stream": { access: "known" },
  "GET /workspaces/:id/events/stream": own,
  "POST /sign-out": { access: "known", but: NO_CHANGE },
  "POST /registry/check-access": { access: "known", but: NO_CHANGE },
  "GET /registry/discover/:id": { access: "hierarchy", but: NO_SUCH_CALLER },
  "POST /workspaces/:id/a2a": {
    access: "hierarchy",
    body: { method: "message/send", params: { message: { role: "user", parts: [] } } },
    but: { "a stranger as system:": 403, "its own token as system:": 403 },
  },
  "GET /workspaces/:id/schedules/health": {
    access: "hierarchy",
    but: { "a stranger as the workspace": 403 },
  },
  "GET /workspaces/:id/shared-context": { access: "below" },

  "GET /events": people,
  "GET /events/:id": { access: "people", removedIs: 401 },
  "GET /templates": people,
  "POST /templates/import": people,
  "GET /org/templates": people,
  "POST /org/import": people,
  "GET /org/export": people,
  "DELETE /templates/:templateId": people,
  "GET /workspaces": people,
  "POST /workspaces": { access: "people", body: { name: "New", runtime: "demo" } },
  "DELETE /workspaces/:id": people,
  "POST /workspaces/:id/stop-trying": people,
  "GET /workspaces/:id/console": people,
  "PATCH /workspaces/:id/budget": { access: "people", body: { budget_limit: 1 } },
  "GET /settings/secrets": people,
  "PUT /settings/secrets": { access: "people", body: { key: "K", value: "v" } },
  "POST /settings/secrets": { access: "people", body: { key: "K", value: "v" } },
  "DELETE /settings/secrets/:key": people,
  "GET /admin/secrets": people,
  "PUT /admin/secrets": { access: "people", body: { key: "K", value: "v" } },
  "POST /admin/secrets": { access: "people", body: { key: "K", value: "v" } },
  "DELETE /admin/secrets/:key": people,
  "GET /admin/liveness": people,
  "POST /admin/workspaces/:id/bootstrap-failed": people,
  "POST /admin/a2a-queue/drop-stale": people,
  "GET /admin/sweep-holds": people,
  "GET /admin/schedules/health": people,
  "POST /admin/sweep-holds/:holdId/confirm": people,
  "POST /admin/sweep-holds/:holdId/dismiss": people,
  "GET /admin/workspace-images/refresh": people,
  "POST /admin/workspace-images/refresh": people,
  "GET /admin/workspaces/redeploy": people,
  "POST /admin/workspaces/redeploy": people,
  "POST /admin/workspaces/redeploy/stop": people,
  "POST /admin/workspaces/redeploy/resume": people,
  "GET /instructions": people,
  "POST /instructions": { access: "people", body: { content: "x" } },
  "PATCH /instructions/:instructionId": people,
  "DELETE /instructions/:instructionId": people,
  "GET /approvals/pending": people,
  "POST /workspaces/:id/approvals/:approvalId/decide": people,
  "POST /admin/sign-in-links": { access: "operator" },
  "GET /admin/workspaces/:id/test-token": { access: "operator" },

  "PATCH /workspaces/:id": { access: "own", body: { name: "Taken" } },
  "GET /workspaces/:id/state": { access: "own", removedIs: 401 },
  "POST /workspaces/:id/restart": own,
  "POST /workspaces/:id/pause": own,
  "POST /workspaces/:id/resume": own,
  "POST /workspaces/:id/hibernate": own,
  "GET /workspaces/:id/budget": own,
  "POST /workspaces/:id/notify": { access: "own", body: { message: "hi" } },
  "GET /workspaces/:id/activity": own,
  "POST /workspaces/:id/activity": { access: "own", body: { activity_type: "agent_log" } },
  "GET /workspaces/:id/tokens": own,
  "POST /workspaces/:id/tokens": own,
  "DELETE /workspaces/:id/tokens/:tokenId": own,
  "GET /workspaces/:id/files": own,
  "PUT /workspaces/:id/files": { access: "own", body: { files: { "a.md": "x" } } },
  "GET /workspaces/:id/files/*": own,
  "PUT /workspaces/:id/files/*": { access: "own", body: { content: "x" } },
  "DELETE /workspaces/:id/files/*": own,
  "POST /workspaces/:id/chat/uploads": own,
  "GET /workspaces/:id/chat/download": own,
  "GET /workspaces/:id/chat/uploads/:fileId": own,
  "GET /workspaces/:id/model": own,
  "PUT /workspaces/:id/model": { access: "own", body: { model: "m" } },
  "GET /workspaces/:id/provider": own,
  "PUT /workspaces/:id/provider": { access: "own", body: { provider: "p" } },
  "GET /workspaces/:id/secrets": own,
  "GET /workspaces/:id/secrets/values": { access: "own-only" },
  "POST /workspaces/:id/secrets": { access: "own", body: { key: "K", value: "v" } },
  "PUT /workspaces/:id/secrets": { access: "own", body: { key: "K", value: "v" } },
  "DELETE /workspaces/:id/secrets/:key": own,
  "GET /workspaces/:id/config": own,
  "PATCH /workspaces/:id/config": { access: "own", body: { a: 1 } },
  "GET /workspaces/:id/config-bundle": own,
  "POST /workspaces/:id/delegate": own,
  "POST /workspaces/:id/delegations/record": own,
  "POST /workspaces/:id/delegations/:delegationId/update": own,
  "GET /workspaces/:id/delegations": own,
  "GET /workspaces/:id/schedules": own,
  "POST /workspaces/:id/schedules": own,
  "PATCH /workspaces/:id/schedules/:scheduleId": own,
  "DELETE /workspaces/:id/schedules/:scheduleId": own,
  "POST /workspaces/:id/schedules/:scheduleId/run": own,
  "GET /workspaces/:id/schedules/:scheduleId/history": own,
  "POST /workspaces/:id/memories": { access: "own", body: { content: "x", scope: "LOCAL" } },
  "GET /workspaces/:id/memories": own,
  "DELETE /workspaces/:id/memories/:memoryId": own,
  "GET /workspaces/:id/memory": own,
  "POST /workspaces/:id/memory": { access: "own", body: { key: "k", value: 1 } },
  "GET /workspaces/:id/memory/:key": own,
  "DELETE /workspaces/:id/memory/:key": own,
  "GET /workspaces/:id/session-search": own,
  "POST /workspaces/:id/checkpoints": { access: "own", body: { step: 1 } },
  "GET /workspaces/:id/checkpoints/latest": own,
  "GET /workspaces/:id/github-installation-token": own,
  "GET /plugins": { access: "known" },
  "GET /plugins/sources": { access: "known" },
  "GET /workspaces/:id/plugins": own,
  "GET /workspaces/:id/plugins/available": own,
  "GET /workspaces/:id/plugins/compatibility": own,
  "POST /workspaces/:id/plugins": own,
  "DELETE /workspaces/:id/plugins/:name": own,
  "GET /workspaces/:id/plugins/:name/download": own,
  "GET /workspaces/:id/instructions/resolve": own,
  "POST /workspaces/:id/approvals": { access: "own", body: { action: "x" } },
  "GET /workspaces/:id/approvals": own,
  "GET /registry/:id/peers": own,

  "GET /workspaces/:id/terminal": terminal,
  "GET /workspaces/:id/terminal/diagnose": terminal,

  "POST /registry/register": agent,
  "POST /registry/heartbeat": agent,
  "POST /registry/machine": { access: "agent", body: { ssh_host_key: "none" } },
  "GET /workspaces/:id/boot": { access: "own-only" },
  "GET /runtime/:sha256": { access: "known" },
  "POST /registry/update-card": { access: "agent-or-people", body: { agent_card: {} } },
};

/** Every procedure: members and the admin token `read`; viewers do not `write`. */
export const PROCEDURE_ACCESS: Readonly<Record<string, "read" | "write">> = {
  "session.me": "read",
  "session.signOut": "read",
  "canvas.snapshot": "read",
  "workspaces.list": "read",
  "workspaces.get": "read",
  "workspaces.create": "write",
  "workspaces.rename": "write",
  "workspaces.move": "write",
  "workspaces.restart": "write",
  "workspaces.retry": "write",
  "workspaces.pause": "write",
  "workspaces.resume": "write",
  "workspaces.hibernate": "write",
  "workspaces.applyNow": "write",
  "workspaces.stopTrying": "write",
  "workspaces.removalPreview": "read",
  "workspaces.remove": "write",
  "workspaces.attempts": "read",
  "workspaces.attempt": "read",
  "workspaces.restartRequests": "read",
  "workspaces.statusHistory": "read",
  "layout.moveCards": "write",
  "layout.setViewport": "write",
  "chat.history": "read",
  "chat.retry": "write",
  "chat.cancel": "write",
  "activity.list": "read",
  "approvals.pending": "read",
  "approvals.decide": "write",
  "files.list": "read",
  "files.read": "read",
  "files.write": "write",
  "files.remove": "write",
  "config.document": "read",
  "config.secrets": "read",
  "config.save": "write",
  "config.saveMany": "write",
  "config.history": "read",
  "config.generation": "read",
  "config.rollBack": "write",
  "plugins.offer": "read",
  "plugins.fetch": "write",
  "memories.list": "read",
  "memories.remove": "write",
  "schedules.list": "read",
  "schedules.runs": "read",
  "schedules.preview": "read",
  "schedules.create": "write",
  "schedules.update": "write",
  "schedules.remove": "write",
  "schedules.run": "write",
  "settings.secrets": "read",
  "settings.putSecret": "write",
  "settings.secretReach": "read",
  "settings.removeSecret": "write",
  "sweeps.holds": "read",
  "sweeps.confirm": "write",
  "sweeps.dismiss": "write",
  "registry.card": "read",
  "registry.peers": "read",
  "terminal.ticket": "write",
  "terminal.list": "write",
  "tokens.list": "read",
  "tokens.mint": "write",
  "tokens.revoke": "write",
  "tokens.rotate": "write",
  "tokens.connection": "read",
  "templates.list": "read",
  "orgs.list": "read",
  "orgs.previewImport": "write",
  "orgs.startImport": "write",
  "orgs.readImport": "read",
  "orgs.listImports": "read",
  "orgs.exportBundle": "read",
};
