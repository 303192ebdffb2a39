import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import {
  addKeptChunk,
  beginKeptFile,
  countKeptBytes,
  dropKeptFiles,
  finishKeptFiles,
  KEPT_CHUNK_BYTES,
  type KeptFile,
} from "@molecule/db/files/kept-files";
import type { Target } from "@molecule/db/registry/targets";
import { DomainError } from "@molecule/domain/errors";
import {
  keptFileUri,
  MAX_KEPT_BYTES,
  MAX_UPLOAD_FILE_BYTES,
  MAX_UPLOAD_FILES,
} from "@molecule/domain/kept-files";
import { uploadName } from "@molecule/domain/upload-name";
import busboy from "busboy";
import type { Deps } from "../../deps.ts";
import { type PassedAnswer, UPLOAD_TIMEOUT_MS, type Upload, UploadLimit } from "./upload-limit.ts";

type KeepDeps = Pick<Deps, "db" | "log">;

/**
 * Keeps the files of a form for an agent that nobody can dial: all of them or none, for a week, within
 * the limits of an agent that takes them itself. They go to the database piece by piece as they come.
 * @throws DomainError `payload_too_large`, `bad_request`. SPEC: KF2. Source: contract §9.1, §9.2.
 */
export async function keepUpload(
  deps: KeepDeps,
  target: Target,
  upload: Upload,
): Promise<PassedAnswer> {
  const limit = new UploadLimit();
  limit.checkAnnounced(upload);
  const known = await countKeptBytes(deps.db, target.id);
  if (known + Math.max(upload.contentLength ?? 0, 1) > MAX_KEPT_BYTES) throw full(target);
  const keeping = new Keeping(deps, target.id);
  try {
    const files = await keeping.receive(upload, limit);
    if (files.length === 0) throw new DomainError("bad_request", "The form has no files.");
    const body = { files: files.map(shown) };
    return {
      status: 200,
      contentType: "application/json; charset=utf-8",
      body: Buffer.from(JSON.stringify(body)),
    };
  } catch (error) {
    await keeping.discard();
    throw limit.isExceeded ? limit.error() : error;
  }
}

function shown(file: KeptFile) {
  const { id: fileId, workspaceId, name, mimeType, size } = file;
  return { uri: keptFileUri({ workspaceId, fileId }), name, mimeType, size };
}

function full(target: Target): DomainError {
  return new DomainError("payload_too_large", `No more files can be kept for ${target.name}.`, {
    next: "Files are kept for a week; wait for the agent to fetch them, or send fewer.",
    details: { max_bytes: MAX_KEPT_BYTES },
  });
}

/** One form under way; owns what it has written until all of it is there. */
class Keeping {
  readonly #deps: KeepDeps;
  readonly #workspaceId: string;
  readonly #ids: string[] = [];

  constructor(deps: KeepDeps, workspaceId: string) {
    this.#deps = deps;
    this.#workspaceId = workspaceId;
  }

  /** The files in their order. */
  async receive(upload: Upload, limit: UploadLimit): Promise<readonly KeptFile[]> {
    const form = openForm(upload.contentType);
    const body = Readable.from(limit.counted(upload.body), {
      objectMode: false,
      signal: AbortSignal.timeout(UPLOAD_TIMEOUT_MS),
    });
    const pending: Promise<void>[] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        form.on("file", (field, stream, info) => {
          // It may break off before anybody reads it; whoever reads is told all the same.
          stream.on("error", () => undefined);
          if (field !== "files") {
            stream.resume();
            return;
          }
          const kept = this.#keep(stream, info);
          pending.push(kept);
          kept.catch(reject);
        });
        form.on("filesLimit", () => reject(tooMany()));
        form.on("error", () => reject(brokenForm()));
        form.on("close", () => resolve());
        body.on("error", () => reject(brokenForm()));
        body.pipe(form);
      });
      await Promise.all(pending);
    } catch (error) {
      body.unpipe(form);
      body.destroy();
      form.destroy();
      await Promise.allSettled(pending);
      throw error;
    }
    const files = await finishKeptFiles(this.#deps.db, this.#ids);
    return this.#ids.flatMap((id) => files.find((file) => file.id === id) ?? []);
  }

  /** Nothing of this form is left. What cannot be removed now goes with the next trimming. */
  async discard(): Promise<void> {
    await dropKeptFiles(this.#deps.db, this.#ids).catch((err: unknown) => {
      this.#deps.log.warn({ err, workspace: this.#workspaceId }, "an upload was not taken back");
    });
  }

  async #keep(
    stream: Readable & { truncated?: boolean },
    info: { readonly filename?: string | undefined; readonly mimeType?: string | undefined },
  ): Promise<void> {
    const { db } = this.#deps;
    const id = randomUUID();
    const name = uploadName(info.filename ?? "");
    const mimeType = info.mimeType ?? "";
    try {
      this.#ids.push(id);
      await beginKeptFile(db, {
        id,
        workspaceId: this.#workspaceId,
        name,
        mimeType: mimeType === "" ? "application/octet-stream" : mimeType.slice(0, 255),
      });
      let no = 0;
      for await (const bytes of inChunks(stream)) {
        await addKeptChunk(db, { fileId: id, no, bytes });
        no += 1;
      }
      if (stream.truncated === true) {
        throw new DomainError("payload_too_large", `${name} is larger than 25 MB.`, {
          details: { file: name, max_bytes: MAX_UPLOAD_FILE_BYTES },
        });
      }
    } finally {
      stream.resume();
    }
  }
}

/** The same bytes in pieces of {@link KEPT_CHUNK_BYTES}; a piece is good until the next is asked for. */
async function* inChunks(stream: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  const piece = Buffer.allocUnsafe(KEPT_CHUNK_BYTES);
  let filled = 0;
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.copy(piece, filled, at);
      at += taken;
      filled += taken;
      if (filled === piece.length) {
        yield piece;
        filled = 0;
      }
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

function openForm(contentType: string): busboy.Busboy {
  try {
    return busboy({
      headers: { "content-type": contentType },
      defParamCharset: "utf8",
      limits: {
        fileSize: MAX_UPLOAD_FILE_BYTES,
        files: MAX_UPLOAD_FILES,
        fieldSize: 64 * 1024,
        fields: 100,
        headerPairs: 100,
      },
    });
  } catch {
    throw new DomainError("bad_request", "The request is not a form with files.");
  }
}

function brokenForm(): DomainError {
  return new DomainError("bad_request", "The form is broken or was cut off.");
}

function tooMany(): DomainError {
  const sentence = `At most ${MAX_UPLOAD_FILES} files can be sent at once.`;
  return new DomainError("payload_too_large", sentence);
}
