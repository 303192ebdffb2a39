import type { Target } from "@molecule/db/registry/targets";
import type { DomainError } from "@molecule/domain/errors";
import { keptFileOf } from "@molecule/domain/kept-files";
import { type FileDeps, takeUpload } from "../chat/agent-files.ts";
import { openKeptFile } from "../chat/open-kept-file.ts";
import { filesIn, withCopies } from "./file-parts.ts";
import { takeCopies } from "./take-copies.ts";

/** A message in the queue of its target. */
export interface Waiting {
  readonly target: Target;
  /** The sending workspace; null for a person. */
  readonly callerId: string | null;
  /** The JSON-RPC call. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What became of the files of a message that is about to be delivered. */
export type Carried =
  | {
      readonly kind: "carried";
      /** The call with the uris that the receiver knows. */
      readonly body: Readonly<Record<string, unknown>>;
      /** What needs not be kept any more. */
      readonly fileIds: readonly string[];
    }
  /** The receiver was not there after all. */
  | {
      readonly kind: "later";
      readonly sentence: string;
      /** It was reached, or could not be: not only a state that passes. */
      readonly countsAsDelivery: boolean;
      /** When the receiver says so itself; null: as usual. */
      readonly afterMs: number | null;
    }
  | { readonly kind: "refused"; readonly sentence: string };

/** Whether the platform keeps files until this message is delivered. */
export function hasKeptFiles(message: Omit<Waiting, "target">, targetId: string): boolean {
  return keptFilesOf(message, targetId).length > 0;
}

/** Of a message between two agents: no agent can name what is kept for another one itself. */
function keptFilesOf({ callerId, body }: Omit<Waiting, "target">, targetId: string) {
  if (callerId === null || callerId === targetId) return [];
  return filesIn(body, (uri) => keptFileOf(uri)?.workspaceId === targetId);
}

/** Brings the kept files of a message to its receiver, as an upload. SPEC: KF6. */
export async function carryFiles(
  deps: FileDeps,
  message: Waiting,
  stop: AbortSignal,
): Promise<Carried> {
  const { target, body } = message;
  const files = keptFilesOf(message, target.id);
  const taken = await takeCopies({
    target,
    files,
    open: async ({ uri }) => {
      const ref = keptFileOf(uri);
      if (ref === null) throw new Error("invariant: only kept files were looked for");
      return await openKeptFile(deps, ref);
    },
    take: (upload) => takeUpload(deps, { ...upload, signal: stop }),
  });
  switch (taken.kind) {
    case "copied":
      return {
        kind: "carried",
        body: withCopies(body, files, taken.copies),
        fileIds: files.flatMap(({ uri }) => keptFileOf(uri)?.fileId ?? []),
      };
    case "unreadable":
      return isPassing(taken.error) ? later(taken.error) : refused(taken.error);
    case "refused": {
      // It does not know its secret yet, or has a fault that may pass.
      const isPassingNo = taken.status === 401 || (taken.status ?? 0) >= 500;
      return isPassingNo ? later(taken.error) : refused(taken.error);
    }
    case "away":
      return later(taken.error);
  }
}

/** The database was away while a file was read. */
function isPassing(error: DomainError): boolean {
  return error.code === "upstream_failed" || error.code === "platform_unavailable";
}

function later(error: DomainError): Carried {
  const seconds = error.details.retry_after_seconds;
  return {
    kind: "later",
    sentence: error.message,
    countsAsDelivery: error.code === "upstream_failed",
    afterMs: typeof seconds === "number" ? seconds * 1000 : null,
  };
}

function refused(error: DomainError): Carried {
  return { kind: "refused", sentence: error.message };
}
