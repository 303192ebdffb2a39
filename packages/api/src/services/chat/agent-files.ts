import type { Target } from "@molecule/db/registry/targets";
import { ensureInboundSecret } from "@molecule/db/secrets/inbound-secret";
import { DomainError } from "@molecule/domain/errors";
import { keptFileOf } from "@molecule/domain/kept-files";
import { isPlatformFile, parseFileRoot, parseRelativePath } from "@molecule/domain/paths";
import { agentAddressOf } from "../../a2a/agent-address.ts";
import { type AgentHead, type AgentResult, requestAgent } from "../../adapters/agent-connection.ts";
import type { AgentAddress } from "../../adapters/agent-line.ts";
import { resolveAll } from "../../adapters/public-address.ts";
import type { Deps, Platform } from "../../deps.ts";
import { requireTarget } from "../a2a/route-message.ts";
import { keepUpload } from "./keep-upload.ts";
import { openKeptFile } from "./open-kept-file.ts";
import { type ServedFile, sliceOf, streamOf } from "./served-file.ts";
import { type PassedAnswer, UPLOAD_TIMEOUT_MS, type Upload, UploadLimit } from "./upload-limit.ts";

/** What files are moved with. */
export type FileDeps = Pick<Deps, "db" | "log" | "cipher"> & {
  readonly platform: Pick<Platform, "allowCidrs">;
};

const MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024;
const DOWNLOAD_TIMEOUT_MS = 600_000;
const MAX_ANSWER_BYTES = 1_048_576;

/**
 * Streams files into the workspace without holding or re-encoding them, or keeps them for an agent that
 * nobody can dial; never more than 50 MB.
 * @throws DomainError `payload_too_large`, `workspace_unreachable`, `workspace_restarting`,
 * `upstream_failed`, `not_found`, `removed`. Source: contract §9.1.
 */
export async function takeUpload(deps: FileDeps, upload: Upload): Promise<PassedAnswer> {
  const target = await requireTarget(deps, upload.workspaceId);
  const isAway = target.status === "paused" || target.status === "failed";
  if (target.backend !== "external" || isAway) return await forwardUpload(deps, target, upload);
  if (target.deliveryMode === "poll") return await keepUpload(deps, target, upload);
  if (agentAddressOf(target) === null) return takesNoFiles(target);
  return await forwardUpload(deps, target, upload);
}

/** Source: contract §9.1, 422. */
function takesNoFiles(target: Target): PassedAnswer {
  const body = {
    error: `${target.name} has no address that files could be sent to.`,
    detail: "The agent has to register a url, or register with delivery_mode “poll”.",
  };
  return {
    status: 422,
    contentType: "application/json; charset=utf-8",
    body: Buffer.from(JSON.stringify(body)),
  };
}

async function forwardUpload(
  deps: FileDeps,
  target: Target,
  upload: Upload,
): Promise<PassedAnswer> {
  const limit = new UploadLimit();
  limit.checkAnnounced(upload);
  const { address, secret } = await reachAgent(deps, target);
  const length = upload.contentLength;
  const result = await requestAgent(
    { allowCidrs: deps.platform.allowCidrs, resolve: resolveAll },
    {
      address,
      method: "POST",
      path: "/internal/chat/uploads/ingest",
      headers: {
        "content-type": upload.contentType,
        ...(length === null ? {} : { "content-length": String(length) }),
        authorization: `Bearer ${secret}`,
      },
      body: limit.counted(upload.body),
      signal: AbortSignal.any([
        AbortSignal.timeout(UPLOAD_TIMEOUT_MS),
        ...(upload.signal === undefined ? [] : [upload.signal]),
      ]),
      maxResponseBytes: MAX_ANSWER_BYTES,
    },
  );
  if (limit.isExceeded) throw limit.error();
  if (result.kind !== "answered") throw unreachable(target, result);
  const { status, contentType } = result.head;
  return { status: status >= 200 && status < 600 ? status : 502, contentType, body: result.body };
}

/**
 * Hands out one file of the workspace, or one that is kept for it. @throws DomainError `bad_request`,
 * `not_found`, `workspace_unreachable`, `workspace_restarting`, `upstream_failed`. Source: contract §9.3.
 */
export async function openDownload(
  deps: Deps,
  input: { readonly workspaceId: string; readonly path: string },
): Promise<ServedFile> {
  const kept = keptFileOf(input.path);
  if (kept !== null && kept.workspaceId === input.workspaceId)
    return await openKeptFile(deps, kept);
  const path = downloadPath(input.path);
  const target = await requireTarget(deps, input.workspaceId);
  const { address, secret } = await reachAgent(deps, target);
  const pipe = new TransformStream<Uint8Array, Uint8Array>();
  const writer = pipe.writable.getWriter();
  const leave = new AbortController();
  const begun = new Promise<AgentHead>((resolve) => {
    requestAgent(
      { allowCidrs: deps.platform.allowCidrs, resolve: resolveAll },
      {
        address,
        method: "GET",
        path: `/internal/file/read?path=${encodeURIComponent(path)}`,
        headers: { authorization: `Bearer ${secret}` },
        body: null,
        signal: AbortSignal.any([leave.signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]),
        maxResponseBytes: MAX_DOWNLOAD_BYTES,
        onHead: resolve,
        onChunk: (chunk) => writer.write(chunk),
      },
    )
      .then(async (result) => {
        if (result.kind === "answered") await writer.close();
        else {
          resolve({ status: 0, contentType: "", headers: {} });
          await writer.abort(unreachable(target, result));
        }
      })
      .catch(() => undefined);
  });
  const head = await begun;
  if (head.status !== 200) {
    leave.abort();
    throw downloadError(target, head.status, path);
  }
  const length = head.headers["content-length"] ?? "";
  return {
    name: path.split("/").at(-1) ?? "file",
    contentType: head.contentType === "" ? "application/octet-stream" : head.contentType,
    size: /^\d{1,15}$/.test(length) ? Number(length) : null,
    open: (part) =>
      part === null ? pipe.readable : streamOf(sliceOf(bytesOf(pipe.readable), part)),
    discard: () => leave.abort(),
  };
}

async function* bytesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function downloadPath(text: string): string {
  const path = text.startsWith("workspace:") ? text.slice("workspace:".length) : text;
  const [, first = "", ...rest] = path.split("/");
  if (!path.startsWith("/")) throw new DomainError("bad_request", "The path must be absolute.");
  // Half a character cannot be put into an address.
  if (/\p{Cs}/u.test(path)) throw new DomainError("bad_request", "The path is no text.");
  const root = parseFileRoot(`/${first}`);
  const relative = parseRelativePath(rest.join("/"));
  if (isPlatformFile(root, relative)) throw new DomainError("not_found", "There is no such file.");
  return `${root}/${relative}`;
}

function downloadError(target: Target, status: number, path: string): DomainError {
  if (status === 404) return new DomainError("not_found", `There is no file ${path}.`);
  if (status === 400) return new DomainError("bad_request", `${path} is not a file.`);
  return new DomainError("upstream_failed", `${target.name} could not give the file.`);
}

interface Reached {
  readonly address: AgentAddress;
  readonly secret: string;
}

async function reachAgent(deps: FileDeps, target: Target): Promise<Reached> {
  const address = agentAddressOf(target);
  const isUp = target.status === "online" || target.status === "degraded";
  if (!isUp || address === null) throw notThere(target);
  const { secret, isNew } = await deps.db.transaction((tx) =>
    ensureInboundSecret(tx, deps.cipher, target.id),
  );
  if (!isNew) return { address, secret };
  throw new DomainError("workspace_unreachable", `${target.name} is still learning its secret.`, {
    next: "Try again in 30 seconds.",
    details: { detail: "The agent learns it with its next heartbeat.", retry_after_seconds: 30 },
  });
}

function notThere(target: Target): DomainError {
  if (target.status === "provisioning") {
    return new DomainError("workspace_restarting", `${target.name} is restarting.`, {
      next: "Try again in a few seconds.",
      details: { restarting: true, attempt: target.currentAttempt, retry_after: 5 },
    });
  }
  return new DomainError("workspace_unreachable", `${target.name} is not there right now.`, {
    details: { status: target.status },
  });
}

function unreachable(target: Target, result: AgentResult): DomainError {
  const sentence =
    result.kind === "never_sent"
      ? `${target.name} cannot be reached.`
      : `The connection to ${target.name} broke.`;
  return new DomainError("upstream_failed", sentence, { next: "Try again in a moment." });
}
