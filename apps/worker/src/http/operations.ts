import type { WorkerInput, WorkerOperation, WorkerOutput } from "@molecule/contracts/worker-api";
import type { Database } from "@molecule/db/database";
import { findPlace } from "@molecule/db/lifecycle/find-place";
import type { SecretCipher } from "@molecule/db/secrets/cipher";
import { loadWorkspaceEnv } from "@molecule/db/secrets/workspace-env";
import { DomainError } from "@molecule/domain/errors";
import type { Backend, Phase } from "@molecule/domain/sets";
import { withoutSecrets } from "@molecule/domain/without-secrets";
import { BackendError, type ComputeBackend } from "../provisioning/compute-backend.ts";
import { diagnoseTerminal } from "../terminal/diagnose-terminal.ts";
import type { TerminalSessions } from "../terminal/terminal-sessions.ts";

/** What the operations need. */
export interface OperationDeps {
  readonly db: Database;
  readonly cipher: SecretCipher;
  readonly backendOf: (kind: Backend) => ComputeBackend | null;
  readonly terminals: Pick<TerminalSessions, "list">;
}

/** One function per operation of the private API. */
export type Operations = {
  readonly [K in WorkerOperation]: (input: WorkerInput<K>) => Promise<WorkerOutput<K>>;
};

/** Phases in which an instance is being replaced: its folders belong to nobody for a moment. */
const REPLACING: ReadonlySet<Phase> = new Set(["NEW", "STOPPING", "CREATING"]);
const RETRY_AFTER_SECONDS = 2;
/** Tokens of agents and of machines that boot, whichever a boot script may print. */
const TOKENS = /\bw[sb]t_[\w-]{4,}/g;

/** The private API over the backends of this worker. */
export function createOperations(deps: OperationDeps): Operations {
  return {
    "files.list": async ({ workspaceId, root, path, depth }) => {
      const { files } = await liveBackend(deps, workspaceId);
      const found = await files.list(workspaceId, { root, path, depth });
      return { entries: [...found.entries], truncated: found.truncated };
    },
    "files.read": async ({ workspaceId, root, path }) => {
      const { files } = await liveBackend(deps, workspaceId);
      const content = await files.read(workspaceId, root, path);
      return { content: Buffer.from(content).toString("base64"), size: content.length };
    },
    "files.write": async ({ workspaceId, root, path, content }) => {
      const { files } = await liveBackend(deps, workspaceId);
      const bytes = new Uint8Array(Buffer.from(content, "base64"));
      await files.write(workspaceId, root, { path, content: bytes });
      return { size: bytes.length };
    },
    "files.delete": async ({ workspaceId, root, path }) => {
      const { files } = await liveBackend(deps, workspaceId);
      await files.remove(workspaceId, root, path);
      return {};
    },
    "logs.tail": async ({ workspaceId, lines }) => {
      const { backend } = await knownBackend(deps, workspaceId);
      const { env } = await loadWorkspaceEnv(deps.db, deps.cipher, workspaceId);
      const found = await backend.logs(workspaceId, null, lines);
      const secrets = Object.values(env);
      return { lines: found.map((line) => withoutSecrets(line, secrets)) };
    },
    "console.read": async ({ workspaceId }) => {
      const { backend } = await knownBackend(deps, workspaceId);
      if (backend.console === undefined) {
        throw new DomainError("not_available_here", "This agent's machine has no console.", {
          next: "Look at the log of the agent's attempt instead.",
        });
      }
      const { env } = await loadWorkspaceEnv(deps.db, deps.cipher, workspaceId);
      const output = await backend.console(workspaceId, null);
      return { output: withoutSecrets(output, Object.values(env)).replace(TOKENS, "••••••") };
    },
    "terminal.list": async ({ workspaceId }) => ({
      terminals: [...deps.terminals.list(workspaceId)],
    }),
    "terminal.diagnose": ({ workspaceId }) => diagnoseTerminal(deps, workspaceId),
  };
}

async function liveBackend(deps: OperationDeps, workspaceId: string): Promise<ComputeBackend> {
  const { backend, place } = await knownBackend(deps, workspaceId);
  if (place.intent === "run" && REPLACING.has(place.phase)) {
    const { failure } = place;
    const sentence = failure?.sentence ?? "This workspace is being restarted right now.";
    throw new DomainError("workspace_restarting", sentence, {
      next: failure?.next ?? "Your edit is kept; try again in a moment.",
      details: {
        restarting: true,
        attempt: place.attemptNo,
        retry_after: RETRY_AFTER_SECONDS,
      },
    });
  }
  return backend;
}

async function knownBackend(deps: OperationDeps, workspaceId: string) {
  const place = await findPlace(deps.db, workspaceId);
  if (place === null) throw new DomainError("not_found", "There is no such workspace.");
  if (place.intent === "deleted") {
    throw new DomainError("removed", "This workspace has been removed.");
  }
  const backend = deps.backendOf(place.backend);
  if (backend === null) {
    throw new DomainError(
      "not_available_here",
      place.backend === "external"
        ? "This agent runs outside the platform, so its files and logs are not here."
        : `The backend "${place.backend}" is switched off here.`,
    );
  }
  return { backend, place };
}

/** What a caller is told of a failure; internal text stays in the log. */
export function toDomainError(error: unknown): DomainError | null {
  if (error instanceof DomainError) return error;
  if (error instanceof BackendError) {
    return new DomainError("workspace_unreachable", error.failure.sentence, {
      next: error.failure.next,
      cause: error,
    });
  }
  return null;
}
