import { randomUUID } from "node:crypto";
import { hasMessage } from "@molecule/db/queue/accept-message";
import type { Target } from "@molecule/db/registry/targets";
import { DomainError, type ErrorCode, isDomainError } from "@molecule/domain/errors";
import { fields, list } from "../../a2a/agent-reply.ts";
import type { Envelope } from "../../a2a/envelope.ts";
import type { Deps } from "../../deps.ts";
import { openDownload, takeUpload } from "../chat/agent-files.ts";
import { streamOf } from "../chat/served-file.ts";
import type { PassedAnswer } from "../chat/upload-limit.ts";
import type { Caller } from "./deliver-and-answer.ts";

/** Files of a workspace, by the uri that it knows them by. Others are reached by everybody. */
const OWN_FILE = /^(workspace|platform):/;

type Part = Readonly<Record<string, unknown>>;

/** A file part of a message. */
interface FilePart {
  /** Its place among the parts. */
  readonly at: number;
  readonly uri: string;
  readonly name: string | null;
  readonly mimeType: string | null;
}

/** A message of a sender that may speak to the target, before it is written down. */
export interface Sent {
  readonly caller: Caller;
  readonly target: Target;
  readonly envelope: Envelope;
}

/**
 * Copies the files that a message of an agent names into the receiver, all of them or none, and answers
 * the message with the uris that the receiver knows them by. Read as the sender may read them, taken as
 * any upload of the receiver is. Nothing is held: each byte goes on as it comes. A message that the
 * target has already is answered as it is.
 * @throws DomainError with the code of what kept a file from being copied. SPEC: KF4.
 */
export async function copyFiles(deps: Deps, sent: Sent): Promise<Envelope> {
  const { caller, target, envelope } = sent;
  if (caller.kind === "person" || !namesFiles(sent)) return envelope;
  const found = filesIn(envelope);
  if (await hasMessage(deps.db, target.id, envelope.messageId ?? "")) return envelope;
  const form = new CopiedForm(deps, caller.id, found);
  const answer = await takeUpload(deps, {
    workspaceId: target.id,
    contentType: form.contentType,
    contentLength: null,
    body: form.stream(),
  }).catch((error: unknown) => {
    throw form.failure ?? notCopied(error, `The files could not be given to ${target.name}`);
  });
  if (form.failure !== null) throw form.failure;
  return withCopies(envelope, found, copiesIn(answer, { target, count: found.length }));
}

/** Files have to be copied before the message can be taken. */
export function namesFiles({ caller, target, envelope }: Sent): boolean {
  if (caller.kind === "person" || caller.id === target.id) return false;
  return filesIn(envelope).length > 0;
}

function filesIn(envelope: Envelope): FilePart[] {
  const { parts } = fields(fields(envelope.body.params).message);
  return list(parts).flatMap((part, at) => {
    const { file, url, filename, mediaType } = fields(part);
    const { uri, name, mimeType } = fields(file);
    const own = textOf(uri) ?? textOf(url);
    if (own === null || !OWN_FILE.test(own)) return [];
    return [
      {
        at,
        uri: own,
        name: textOf(name) ?? textOf(filename),
        mimeType: textOf(mimeType) ?? textOf(mediaType),
      },
    ];
  });
}

/** The files as one form, read one after the other while it is sent. */
class CopiedForm {
  /** Why a file could not be read; the form breaks off there. */
  failure: DomainError | null = null;
  readonly #deps: Deps;
  readonly #senderId: string;
  readonly #files: readonly FilePart[];
  readonly #boundary = `molecule-${randomUUID()}`;

  constructor(deps: Deps, senderId: string, files: readonly FilePart[]) {
    this.#deps = deps;
    this.#senderId = senderId;
    this.#files = files;
  }

  get contentType(): string {
    return `multipart/form-data; boundary=${this.#boundary}`;
  }

  stream(): ReadableStream<Uint8Array> {
    return streamOf(this.#bytes());
  }

  async *#bytes(): AsyncGenerator<Uint8Array> {
    for (const file of this.#files) {
      try {
        yield* this.#partOf(file);
      } catch (error) {
        const shown = file.name ?? file.uri;
        this.failure = notCopied(error, `The file ${shown} could not be sent along`);
        throw this.failure;
      }
    }
    yield Buffer.from(`--${this.#boundary}--\r\n`);
  }

  async *#partOf(file: FilePart): AsyncGenerator<Uint8Array> {
    const source = await openDownload(this.#deps, { workspaceId: this.#senderId, path: file.uri });
    const head = [
      `--${this.#boundary}`,
      `Content-Disposition: form-data; name="files"; filename="${escaped(file.name ?? source.name)}"`,
      `Content-Type: ${(file.mimeType ?? source.contentType).replace(/[\r\n]/g, "")}`,
      "",
      "",
    ];
    yield Buffer.from(head.join("\r\n"));
    const reader = source.open(null).getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        yield value;
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
    yield Buffer.from("\r\n");
  }
}

/** Source: the HTML standard on multipart names. */
function escaped(name: string): string {
  return name.replace(/"/g, "%22").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

interface Copy {
  readonly uri: string;
  readonly mimeType: string | null;
  readonly size: number | null;
}

function copiesIn(
  answer: PassedAnswer,
  { target, count }: { readonly target: Target; readonly count: number },
): readonly Copy[] {
  const body = fields(parsed(answer.body));
  const copies = list(body.files).flatMap((entry) => {
    const { uri, mimeType, size } = fields(entry);
    if (textOf(uri) === null) return [];
    const bytes = typeof size === "number" ? size : null;
    return [{ uri: String(uri), mimeType: textOf(mimeType), size: bytes }];
  });
  if (answer.status === 200 && copies.length === count) return copies;
  const why = textOf(body.error) ?? `it answered ${answer.status}.`;
  const code = answer.status === 413 ? "payload_too_large" : "upstream_failed";
  throw new DomainError(code, `${target.name} did not take the files: ${why.slice(0, 2000)}`, NEXT);
}

const NEXT = { next: "Nothing was sent. Send the message again without the file, or later." };

/** The same failure, told about the file; what the sender named wrongly is the sender's mistake. */
function notCopied(error: unknown, what: string): DomainError {
  if (!isDomainError(error)) {
    return new DomainError("upstream_failed", `${what}.`, { ...NEXT, cause: error });
  }
  const code: ErrorCode = error.code === "not_found" ? "bad_request" : error.code;
  const { details, message } = error;
  return new DomainError(code, `${what}: ${message}`, { ...NEXT, details, cause: error });
}

function withCopies(
  envelope: Envelope,
  found: readonly FilePart[],
  copies: readonly Copy[],
): Envelope {
  const params = fields(envelope.body.params);
  const message = fields(params.message);
  const parts = list(message.parts).map((part, at) => {
    const index = found.findIndex((file) => file.at === at);
    const copy = copies[index];
    return copy === undefined ? part : withCopy(fields(part), copy);
  });
  const body = { ...envelope.body, params: { ...params, message: { ...message, parts } } };
  return { ...envelope, body };
}

function withCopy(part: Part, copy: Copy): Part {
  if (textOf(part.url) !== null) return { ...part, url: copy.uri };
  const file = fields(part.file);
  return {
    ...part,
    file: {
      ...file,
      uri: copy.uri,
      ...(file.mimeType === undefined && copy.mimeType !== null ? { mimeType: copy.mimeType } : {}),
      ...(copy.size === null ? {} : { size: copy.size }),
    },
  };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
