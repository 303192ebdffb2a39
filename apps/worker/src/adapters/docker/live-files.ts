import { DomainError, ERROR_CODES, type ErrorCode } from "@molecule/domain/errors";
import type { FileRoot } from "@molecule/domain/sets";
import type { LiveFiles } from "../../provisioning/compute-backend.ts";
import { latestContainer } from "./containers.ts";
import { AGENT_USER, NODE_IN_IMAGE, RUNTIME_IN_IMAGE } from "./create-options.ts";
import type { Engine } from "./engine.ts";
import { hasStatus, toBackendError } from "./engine-error.ts";
import { VOLUME_KINDS, VOLUME_MOUNTS, type VolumeKind } from "./names.ts";
import { readAll, splitOutput } from "./streams.ts";
import { closeStream, runTask, type TaskScope } from "./task-container.ts";
import { assertOwnVolumes, hasVolume } from "./volumes.ts";

/** Base64 of the largest file that is read (25 MB) and a little. */
const MAX_ANSWER_BYTES = 36 * 1024 * 1024;
const MAX_SENTENCE_LENGTH = 300;
const FS_TIMEOUT_MS = 30_000;

const VOLUME_OF: Readonly<Record<FileRoot, VolumeKind>> = {
  "/configs": "configs",
  "/workspace": "workspace",
  "/home": "home",
  "/plugins": "plugins",
};

type FsRequest = { readonly op: "list" | "read" | "write" | "remove"; readonly path: string } & {
  readonly depth?: number;
  readonly content?: string;
};

/**
 * Live file operations: inside the running container, else in a short-lived one over the same
 * volumes. Either way as the agent's uid, so that no path leads to what the agent could not reach.
 */
export function createLiveFiles(scope: TaskScope): LiveFiles {
  const ask = (workspaceId: string, root: FileRoot, request: FsRequest) =>
    askFs(scope, { workspaceId, root }, request);
  return {
    async list(workspaceId, at) {
      const request = { op: "list", path: at.path, depth: at.depth } as const;
      const answer = await ask(workspaceId, at.root, request);
      if (answer === null) return { entries: [], truncated: false };
      return { entries: entriesOf(answer.entries), truncated: answer.truncated === true };
    },
    async read(workspaceId, root, path) {
      const answer = await ask(workspaceId, root, { op: "read", path });
      if (answer === null) throw new DomainError("not_found", "There is no such file.");
      if (typeof answer.content !== "string") throw garbled();
      return Buffer.from(answer.content, "base64");
    },
    async write(workspaceId, root, file) {
      const content = Buffer.from(file.content).toString("base64");
      await ask(workspaceId, root, { op: "write", path: file.path, content });
    },
    async remove(workspaceId, root, path) {
      const answer = await ask(workspaceId, root, { op: "remove", path });
      if (answer === null) throw new DomainError("not_found", "There is no such file.");
    },
  };
}

/** The answer's fields; null when the workspace has stored nothing yet and nothing was to be written. */
async function askFs(
  scope: TaskScope,
  at: { readonly workspaceId: string; readonly root: FileRoot },
  request: FsRequest,
): Promise<Readonly<Record<string, unknown>> | null> {
  const kind = VOLUME_OF[at.root];
  const input = JSON.stringify({ ...request, root: VOLUME_MOUNTS[kind] });
  try {
    const running = await latestContainer(scope.engine, scope.platformId, at.workspaceId);
    if (running?.State === "running") {
      const raw = await execFs(scope.engine, running.Id, input);
      if (raw !== null) return parseAnswer(raw);
    }
    if (request.op === "write")
      await assertOwnVolumes(scope.engine, scope.platformId, at.workspaceId);
    else if (!(await hasVolume(scope.engine, scope.platformId, at.workspaceId, kind))) return null;
    const task = {
      workspaceId: at.workspaceId,
      volumes: VOLUME_KINDS,
      args: [RUNTIME_IN_IMAGE, "fs"],
    };
    const io = { input, maxBytes: MAX_ANSWER_BYTES };
    return parseAnswer(await runTask(scope, task, io, { timeoutMs: FS_TIMEOUT_MS }));
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw await toBackendError(error, { doing: "reach the workspace's files", code: "internal" });
  }
}

/** What `fs` printed inside the running container; null when it stopped before it could answer. */
async function execFs(engine: Engine, id: string, input: string): Promise<Buffer | null> {
  try {
    return await engine.call(
      "run a file operation",
      async (docker, abortSignal) => {
        const exec = await docker.getContainer(id).exec({
          Cmd: [NODE_IN_IMAGE, RUNTIME_IN_IMAGE, "fs"],
          User: AGENT_USER,
          WorkingDir: "/",
          // The container's own variables are the workspace's secrets; none may steer this process.
          Env: ["NODE_OPTIONS="],
          AttachStdin: true,
          AttachStdout: true,
          AttachStderr: true,
          abortSignal,
        });
        const stream = await exec.start({ hijack: true, stdin: true, abortSignal });
        abortSignal.addEventListener("abort", () => closeStream(stream), { once: true });
        stream.end(input);
        const { stdout } = splitOutput(await readAll(stream, MAX_ANSWER_BYTES));
        return stdout.length === 0 ? null : stdout;
      },
      { timeoutMs: FS_TIMEOUT_MS },
    );
  } catch (error) {
    if (hasStatus(error, 404, 409)) return null;
    throw error;
  }
}

/** The agent shares the command's uid and may garble its answer: nothing in it is taken on trust. */
function parseAnswer(raw: Buffer): Readonly<Record<string, unknown>> {
  let answer: unknown;
  try {
    answer = JSON.parse(raw.toString("utf8"));
  } catch {
    throw garbled();
  }
  if (typeof answer !== "object" || answer === null || !("ok" in answer)) throw garbled();
  if (answer.ok === true) return answer as Readonly<Record<string, unknown>>;
  const { code, sentence } = answer as { code?: unknown; sentence?: unknown };
  const known = ERROR_CODES.find((member): member is ErrorCode => member === code);
  if (known === undefined || typeof sentence !== "string") throw garbled();
  throw new DomainError(known, sentence.slice(0, MAX_SENTENCE_LENGTH));
}

function entriesOf(value: unknown): { path: string; size: number; dir: boolean }[] {
  if (!Array.isArray(value)) throw garbled();
  return value.map((entry: unknown) => {
    const { path, size, dir } = entry as { path?: unknown; size?: unknown; dir?: unknown };
    if (typeof path !== "string" || typeof size !== "number" || typeof dir !== "boolean") {
      throw garbled();
    }
    return { path, size, dir };
  });
}

function garbled(): DomainError {
  return new DomainError("upstream_failed", "The workspace gave an unreadable answer.", {
    next: "Try again; restart the workspace if it goes on.",
  });
}
