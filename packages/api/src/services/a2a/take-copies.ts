import { randomUUID } from "node:crypto";
import type { Target } from "@molecule/db/registry/targets";
import { DomainError, type ErrorCode, isDomainError } from "@molecule/domain/errors";
import { fields, list } from "../../a2a/agent-reply.ts";
import { type ServedFile, streamOf } from "../chat/served-file.ts";
import type { PassedAnswer, Upload } from "../chat/upload-limit.ts";
import { type Copy, type NamedFile, textOf } from "./file-parts.ts";

/** Files on their way to whoever takes them as one upload. */
export interface CopyJob {
  readonly target: Target;
  readonly files: readonly NamedFile[];
  readonly open: (file: NamedFile) => Promise<ServedFile>;
  readonly take: (upload: Upload) => Promise<PassedAnswer>;
}

/** What became of them: all of them were taken, or none counts. */
export type TakenCopies =
  | { readonly kind: "copied"; readonly copies: readonly Copy[] }
  /** One could not be read. */
  | { readonly kind: "unreadable"; readonly error: DomainError }
  /** Whoever takes them said no; `status` is that of its answer, null when the platform did. */
  | { readonly kind: "refused"; readonly error: DomainError; readonly status: number | null }
  /** Nobody was there to take them. */
  | { readonly kind: "away"; readonly error: DomainError };

const NEXT = { next: "Nothing was sent. Send the message again without the file, or later." };

/** Hands the files over, one after the other. Nothing is held: each byte goes on as it comes. */
export async function takeCopies(job: CopyJob): Promise<TakenCopies> {
  const { target } = job;
  const form = new CopiedForm(job);
  const upload = {
    workspaceId: target.id,
    contentType: form.contentType,
    contentLength: null,
    body: form.stream(),
  };
  const taken = await job.take(upload).catch((error: unknown) => {
    return notCopied(error, `The files could not be given to ${target.name}`);
  });
  if (form.failure !== null) return { kind: "unreadable", error: form.failure };
  if (taken instanceof DomainError) {
    const isOver = taken.code === "payload_too_large" || taken.code === "bad_request";
    return isOver
      ? { kind: "refused", error: taken, status: null }
      : { kind: "away", error: taken };
  }
  return copiesIn(taken, { target, count: job.files.length });
}

/** The files as one form, read one after the other while it is sent. */
class CopiedForm {
  /** Why a file could not be read; the form breaks off there. */
  failure: DomainError | null = null;
  readonly #job: CopyJob;
  readonly #boundary = `molecule-${randomUUID()}`;

  constructor(job: CopyJob) {
    this.#job = job;
  }

  get contentType(): string {
    return `multipart/form-data; boundary=${this.#boundary}`;
  }

  stream(): ReadableStream<Uint8Array> {
    return streamOf(this.#bytes());
  }

  async *#bytes(): AsyncGenerator<Uint8Array> {
    for (const file of this.#job.files) {
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

  async *#partOf(file: NamedFile): AsyncGenerator<Uint8Array> {
    const source = await this.#job.open(file);
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

function copiesIn(
  answer: PassedAnswer,
  { target, count }: { readonly target: Target; readonly count: number },
): TakenCopies {
  const body = fields(parsed(answer.body));
  const copies = list(body.files).flatMap((entry) => {
    const { uri, mimeType, size } = fields(entry);
    if (textOf(uri) === null) return [];
    const bytes = typeof size === "number" ? size : null;
    return [{ uri: String(uri), mimeType: textOf(mimeType), size: bytes }];
  });
  const { status } = answer;
  if (status === 200 && copies.length === count) return { kind: "copied", copies };
  const why = textOf(body.error) ?? `it answered ${status}.`;
  const code = status === 413 ? "payload_too_large" : "upstream_failed";
  const sentence = `${target.name} did not take the files: ${why.slice(0, 2000)}`;
  return { kind: "refused", error: new DomainError(code, sentence, NEXT), status };
}

/** The same failure, told about the file; what the sender named wrongly is the sender's mistake. */
function notCopied(error: unknown, what: string): DomainError {
  if (!isDomainError(error)) {
    return new DomainError("upstream_failed", `${what}.`, { ...NEXT, cause: error });
  }
  const code: ErrorCode = error.code === "not_found" ? "bad_request" : error.code;
  const { details, message } = error;
  return new DomainError(code, `${what}: ${message}`, { ...NEXT, details, cause: error });
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
