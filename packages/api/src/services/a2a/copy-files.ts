import { hasMessage } from "@molecule/db/queue/accept-message";
import type { Target } from "@molecule/db/registry/targets";
import type { Envelope } from "../../a2a/envelope.ts";
import type { Deps } from "../../deps.ts";
import { openDownload, takeUpload } from "../chat/agent-files.ts";
import { keepUpload } from "../chat/keep-upload.ts";
import type { Upload } from "../chat/upload-limit.ts";
import type { Caller } from "./deliver-and-answer.ts";
import { filesIn, type NamedFile, withCopies } from "./file-parts.ts";
import type { MessageRoute } from "./route-message.ts";
import { takeCopies } from "./take-copies.ts";

/** Files of a workspace, by the uri that it knows them by. Others are reached by everybody. */
const OWN_FILE = /^(workspace|platform):/;

/** A message of a sender that may speak to the target, before it is written down. */
export interface Sent {
  readonly caller: Caller;
  readonly target: Target;
  readonly envelope: Envelope;
  /** How its target is reached now. */
  readonly way: MessageRoute["kind"];
}

/** A message whose files are the receiver's, or are kept for it. */
export interface Copied {
  readonly envelope: Envelope;
  /** The platform has them until the message is delivered: it has to wait in the queue. */
  readonly areKept: boolean;
}

/**
 * Copies the files that a message of an agent names into the receiver, all of them or none, and answers
 * the message with the uris that the receiver knows them by. Read as the sender may read them, taken as
 * any upload of the receiver is; a receiver that is not there now gets them before its message, from
 * what is kept until then. A message that the target has already is answered as it is.
 * @throws DomainError with the code of what kept a file from being copied. SPEC: KF4, KF6.
 */
export async function copyFiles(deps: Deps, sent: Sent): Promise<Copied> {
  const { caller, target, envelope, way } = sent;
  const found = filesOf(sent);
  if (caller.kind === "person" || found.length === 0) return { envelope, areKept: false };
  if (await hasMessage(deps.db, target.id, envelope.messageId ?? "")) {
    return { envelope, areKept: false };
  }
  const open = (file: NamedFile) => openDownload(deps, { workspaceId: caller.id, path: file.uri });
  const keep = (upload: Upload) => keepUpload(deps, target, upload);
  const take = (upload: Upload) => takeUpload(deps, upload);
  const job = { target, files: found, open };
  let areKept = way === "queue" || way === "wake";
  let taken = await takeCopies({ ...job, take: areKept ? keep : take });
  if (taken.kind === "away" && way === "dispatch" && target.backend !== "external") {
    areKept = true;
    taken = await takeCopies({ ...job, take: keep });
  }
  if (taken.kind !== "copied") throw taken.error;
  const body = withCopies(envelope.body, found, taken.copies);
  return { envelope: { ...envelope, body }, areKept };
}

function filesOf({ caller, target, envelope }: Sent): readonly NamedFile[] {
  if (caller.kind === "person" || caller.id === target.id) return [];
  return filesIn(envelope.body, (uri) => OWN_FILE.test(uri));
}
