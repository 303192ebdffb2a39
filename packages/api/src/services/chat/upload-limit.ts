import { DomainError } from "@molecule/domain/errors";
import { MAX_UPLOAD_BYTES } from "@molecule/domain/kept-files";

/** How long an upload may take, in ms. Source: wire contract §9.1. */
export const UPLOAD_TIMEOUT_MS = 120_000;

/** A multipart body on its way to an agent. */
export interface Upload {
  readonly workspaceId: string;
  readonly contentType: string;
  /** Null when the client did not say. */
  readonly contentLength: number | null;
  readonly body: ReadableStream<Uint8Array>;
  /** Breaks it off. Absent: its time alone does. */
  readonly signal?: AbortSignal;
}

/** What answers an upload: of the agent, passed back as it is, or ours. */
export interface PassedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Counts the bytes that go through and ends the stream at the limit. */
export class UploadLimit {
  isExceeded = false;

  /** @throws DomainError `payload_too_large` for an upload that says it is larger. */
  checkAnnounced(upload: Upload): void {
    if ((upload.contentLength ?? 0) > MAX_UPLOAD_BYTES) throw this.error();
  }

  async *counted(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    const reader = body.getReader();
    let size = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        size += value.byteLength;
        if (size > MAX_UPLOAD_BYTES) {
          this.isExceeded = true;
          throw this.error();
        }
        yield value;
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  error(): DomainError {
    return new DomainError("payload_too_large", "An upload may have 50 MB in all.", {
      details: { max_bytes: MAX_UPLOAD_BYTES },
    });
  }
}
