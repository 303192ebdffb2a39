import { putModelBody, putProviderBody, putSecretBody, secretKey } from "@molecule/contracts/wire";
import {
  listGlobalSecrets,
  listWorkspaceSecrets,
  type SecretRow,
} from "@molecule/db/secrets/secret-store";
import { type ConfigRow, readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { actorOf } from "../context.ts";
import { applyChanges, type DesiredChange } from "../services/config/apply-changes.ts";
import { modelView, providerView, readBundle } from "../services/config/read-bundle.ts";
import { changeGlobalSecret, readSecretValues } from "../services/secrets/manage-secrets.ts";
import { ADMIN, WORKSPACE, WORKSPACE_STRICT } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { failure, json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** Largest body of `PATCH …/config`. Source: wire contract §9.5. */
const MAX_CONFIG_BYTES = 262_144;
/** Names under which the document's two settings are on the wire. Source: wire contract §10. */
const MODEL_KEY = "MODEL_PROVIDER";
const PROVIDER_KEY = "LLM_PROVIDER";

/** Model, provider, secrets and configuration. Source: wire contract §9.5 and §10. */
export const configRoutes: readonly Route[] = [
  route("GET", "/workspaces/:id/model", WORKSPACE_STRICT, async ({ deps, workspaceId }) => {
    const row = await readConfig(deps.db, workspaceId);
    return json(200, modelView(row.config.model), versionOf(row));
  }),
  route("PUT", "/workspaces/:id/model", WORKSPACE_STRICT, async (context) => {
    const { model } = await context.body(putModelBody);
    await change(context, { document: { model: model === "" ? null : model } });
    return ok(model === "" ? { status: "cleared" } : { status: "saved", model });
  }),
  route("GET", "/workspaces/:id/provider", WORKSPACE_STRICT, async ({ deps, workspaceId }) => {
    const row = await readConfig(deps.db, workspaceId);
    return json(200, providerView(row.config.provider), versionOf(row));
  }),
  route("PUT", "/workspaces/:id/provider", WORKSPACE_STRICT, async (context) => {
    const { provider } = await context.body(putProviderBody);
    await change(context, { document: { provider: provider === "" ? null : provider } });
    return ok(provider === "" ? { status: "cleared" } : { status: "saved", provider });
  }),
  route("GET", "/workspaces/:id/secrets", WORKSPACE_STRICT, async ({ deps, workspaceId }) => {
    await readConfig(deps.db, workspaceId);
    return ok((await listWorkspaceSecrets(deps.db, deps.cipher, workspaceId)).map(rowOf));
  }),
  route("GET", "/workspaces/:id/secrets/values", WORKSPACE_STRICT, values),
  route("POST", "/workspaces/:id/secrets", WORKSPACE_STRICT, putSecret),
  route("PUT", "/workspaces/:id/secrets", WORKSPACE_STRICT, putSecret),
  route("DELETE", "/workspaces/:id/secrets/:key", WORKSPACE_STRICT, removeSecret),
  ...["/settings/secrets", "/admin/secrets"].flatMap((path) => [
    route("GET", path, ADMIN, async ({ deps }) =>
      ok((await listGlobalSecrets(deps.db, deps.cipher)).map(rowOf)),
    ),
    route("PUT", path, ADMIN, putGlobal),
    route("POST", path, ADMIN, putGlobal),
    route("DELETE", `${path}/:key`, ADMIN, removeGlobal),
  ]),
  route("GET", "/workspaces/:id/config", WORKSPACE, async ({ deps, workspaceId }) => {
    const row = await readConfig(deps.db, workspaceId);
    return json(200, { data: row.config.extra }, versionOf(row));
  }),
  route("PATCH", "/workspaces/:id/config", WORKSPACE, patchConfig),
  route("GET", "/workspaces/:id/config-bundle", WORKSPACE, async ({ deps, workspaceId }) => {
    const bundle = await readBundle(deps, workspaceId);
    return json(200, bundle, { etag: `"${bundle.version}"` });
  }),
];

type Receipt = Awaited<ReturnType<typeof applyChanges>>;
type Change = Pick<DesiredChange, "document" | "extra" | "secrets">;

/** `check` sees what was done, and undoes all of it when it throws. */
async function change(
  context: RequestContext,
  what: Change,
  check: (receipt: Receipt) => void = () => undefined,
) {
  const { deps, auth, req, workspaceId } = context;
  const actor = actorOf(auth);
  const baseVersion = baseOf(req.headers.get("if-match"));
  return await deps.db.transaction(async (tx) => {
    const wish = { workspaceId, actor, isBatch: false, baseVersion, ...what };
    const receipt = await applyChanges(deps, tx, wish);
    check(receipt);
    return receipt;
  });
}

/** The version that a conditional write is based on. @throws DomainError `bad_request`. */
function baseOf(ifMatch: string | null): number | undefined {
  if (ifMatch === null || ifMatch.trim() === "*") return undefined;
  const version = /^\s*(?:W\/)?"?(\d{1,15})"?\s*$/.exec(ifMatch)?.[1];
  if (version !== undefined) return Number(version);
  throw new DomainError("bad_request", "If-Match has to be the version of the configuration.", {
    next: "Send the ETag of the answer that the change is based on.",
    details: { field: "If-Match" },
  });
}

function versionOf(row: ConfigRow): Record<string, string> {
  return { etag: `"${row.configVersion}"` };
}

function rowOf(row: SecretRow) {
  return {
    key: row.key,
    has_value: true,
    scope: row.scope,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    ...(row.isReadable ? {} : { must_reenter: true }),
  };
}

/** Values go to the workspace's own bearer and to nobody else, not even to a person. */
async function values({ deps, auth, workspaceId, requestId }: RequestContext): Promise<Response> {
  if (auth.kind !== "workspace") {
    throw new DomainError("unauthenticated", "Values are given to the workspace's own token only.");
  }
  try {
    return json(200, await readSecretValues(deps, workspaceId), { "cache-control": "no-store" });
  } catch (error) {
    if (!isDomainError(error) || error.code !== "secret_unreadable") throw error;
    // A status of its own for runtimes. Source: wire contract §10.
    return failure(error, requestId, 500);
  }
}

async function putSecret(context: RequestContext): Promise<Response> {
  const { key, value } = await context.body(putSecretBody);
  await change(context, documentOf(key, value) ?? { secrets: [{ key, value }] });
  return ok({ status: "saved", key });
}

async function removeSecret(context: RequestContext): Promise<Response> {
  const key = secretKey.parse(context.params.key);
  const cleared = documentOf(key, null);
  await change(context, cleared ?? { secrets: [{ key, value: null }] }, (receipt) => {
    if (!receipt.isChanged) throw new DomainError("not_found", `There is no key ${key} here.`);
  });
  return ok({ status: "deleted", key });
}

/** The document's setting that goes by this name on the wire; null for a real secret. */
function documentOf(key: string, value: string | null): Change | null {
  if (value !== null && value.length > 100 && (key === MODEL_KEY || key === PROVIDER_KEY)) {
    throw new DomainError("bad_request", `The value of ${key} is longer than 100 characters.`);
  }
  if (key === MODEL_KEY) return { document: { model: value } };
  return key === PROVIDER_KEY ? { document: { provider: value } } : null;
}

async function putGlobal(context: RequestContext): Promise<Response> {
  const { key, value } = await context.body(putSecretBody);
  await changeGlobalSecret(context.deps, { actor: actorOf(context.auth), key, value });
  return ok({ status: "saved", key, scope: "global" });
}

async function removeGlobal({ deps, auth, params }: RequestContext): Promise<Response> {
  const key = secretKey.parse(params.key);
  await changeGlobalSecret(deps, { actor: actorOf(auth), key, value: null });
  return ok({ status: "deleted", key, scope: "global" });
}

async function patchConfig(context: RequestContext): Promise<Response> {
  const patch = await context.json();
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) {
    throw new DomainError("bad_request", "The body must be a JSON object.");
  }
  if (JSON.stringify(patch).length > MAX_CONFIG_BYTES) {
    throw new DomainError("payload_too_large", "The configuration is larger than 256 KiB.", {
      details: { max_bytes: MAX_CONFIG_BYTES },
    });
  }
  await change(context, { extra: { ...patch } });
  return ok({ status: "updated" });
}
