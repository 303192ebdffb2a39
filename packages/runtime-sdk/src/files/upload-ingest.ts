import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { uploadName } from "@molecule/domain/upload-name";
import busboy from "busboy";
import type { RequestHandler } from "express";
import type { Log } from "../log.ts";
import { mimeTypeOf } from "./mime-type.ts";
import { SafeFiles } from "./safe-files.ts";

/** Where uploads are kept, below the workspace folder. Source: wire contract §9.2. */
const UPLOAD_FOLDER = ".molecule/chat-uploads";
/** Limits in bytes and files. Source: wire contract §9.2. */
const MAX_UPLOAD_FILE_BYTES = 25 * 1024 * 1024;
const MAX_UPLOAD_TOTAL_BYTES = 50 * 1024 * 1024;
const MAX_UPLOAD_FILES = 64;
/** Room for the form's own lines around the files. */
const FORM_OVERHEAD_BYTES = 128 * 1024;

/** One stored file as the answer names it. */
interface StoredUpload {
  readonly uri: string;
  readonly name: string;
  readonly mimeType: string;
  readonly size: number;
}

class UploadRefusal extends Error {
  readonly status: 400 | 413 | 500;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(
    status: UploadRefusal["status"],
    sentence: string,
    options: { extra?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(sentence, { cause: options.cause });
    this.name = "UploadRefusal";
    this.status = status;
    this.extra = options.extra ?? {};
  }
}

/**
 * Stores the `files` of a multipart form and answers what it stored. Either all files of a request are
 * kept or none. Source: wire contract §9.2.
 */
export function uploadIngest(workspaceDir: string, log: Log): RequestHandler {
  return async (req, res) => {
    const upload = new Upload(workspaceDir);
    try {
      const declared = Number(req.headers["content-length"] ?? 0);
      if (declared > MAX_UPLOAD_TOTAL_BYTES + FORM_OVERHEAD_BYTES) throw totalTooLarge();
      const stored = await upload.receive(req, req.headers);
      if (stored.length === 0) throw new UploadRefusal(400, "The form has no files.");
      res.status(200).json({ files: stored });
    } catch (error) {
      await upload.discard();
      req.resume();
      res.set("Connection", "close");
      if (error instanceof UploadRefusal) {
        res.status(error.status).json({ error: error.message, ...error.extra });
        return;
      }
      log.error("an upload failed", { error });
      res.status(500).json({ error: "The files could not be stored." });
    }
  };
}

/** One form under way; owns what it has written until the answer. */
class Upload {
  readonly #files: SafeFiles;
  readonly #written: string[] = [];
  #totalBytes = 0;

  constructor(workspaceDir: string) {
    this.#files = new SafeFiles(workspaceDir);
  }

  async receive(
    body: Readable,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): Promise<readonly StoredUpload[]> {
    const form = openForm(headers);
    const pending: Promise<StoredUpload>[] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        form.on("file", (field, stream, info) => {
          // It may break off before anybody reads it; whoever reads is told all the same.
          stream.on("error", () => undefined);
          if (field !== "files") {
            stream.resume();
            return;
          }
          const kept = this.#keep(stream, info.filename ?? "", info.mimeType);
          pending.push(kept);
          kept.catch(reject);
        });
        form.on("filesLimit", () => {
          reject(new UploadRefusal(413, `At most ${MAX_UPLOAD_FILES} files can be sent at once.`));
        });
        form.on("error", (cause) => reject(brokenForm(cause)));
        form.on("close", () => resolve());
        body.on("error", (cause) => reject(brokenForm(cause)));
        body.on("close", () => {
          if (!body.readableEnded) reject(brokenForm(undefined));
        });
        body.pipe(form);
      });
    } catch (error) {
      body.unpipe(form);
      form.destroy();
      await Promise.allSettled(pending);
      throw error;
    }
    return Promise.all(pending);
  }

  /** Nothing of this request is left on disk. */
  async discard(): Promise<void> {
    await Promise.allSettled(this.#written.map((relative) => this.#files.remove(relative)));
  }

  async #keep(
    stream: Readable & { truncated?: boolean },
    given: string,
    type: string,
  ): Promise<StoredUpload> {
    const name = uploadName(given);
    const relative = `${UPLOAD_FOLDER}/${randomBytes(16).toString("hex")}-${name}`;
    let size = 0;
    let handle: FileHandle | undefined;
    try {
      handle = await this.#create(relative);
      this.#written.push(relative);
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        size += chunk.length;
        this.#totalBytes += chunk.length;
        if (this.#totalBytes > MAX_UPLOAD_TOTAL_BYTES) throw totalTooLarge();
        await handle.writeFile(chunk);
      }
      if (stream.truncated === true) {
        const sentence = `${name} is larger than 25 MB.`;
        throw new UploadRefusal(413, sentence, { extra: { file: name } });
      }
    } finally {
      stream.resume();
      await handle?.close();
    }
    const mimeType = type === "" || type === "application/octet-stream" ? mimeTypeOf(name) : type;
    const uri = `workspace:/workspace/${relative}`;
    return { uri, name, mimeType, size };
  }

  async #create(relative: string): Promise<FileHandle> {
    try {
      return await this.#files.createExclusive(relative);
    } catch (cause) {
      throw new UploadRefusal(500, "The folder for uploads cannot be written.", {
        extra: { path: path.posix.join("/workspace", UPLOAD_FOLDER), detail: errnoOf(cause) },
        cause,
      });
    }
  }
}

function openForm(headers: Readonly<Record<string, string | string[] | undefined>>): busboy.Busboy {
  try {
    return busboy({
      headers: headers as Record<string, string>,
      defParamCharset: "utf8",
      limits: { fileSize: MAX_UPLOAD_FILE_BYTES, files: MAX_UPLOAD_FILES, fieldSize: 64 * 1024 },
    });
  } catch (cause) {
    throw new UploadRefusal(400, "The request is not a form with files.", { cause });
  }
}

function brokenForm(cause: unknown): UploadRefusal {
  return new UploadRefusal(400, "The form is broken or was cut off.", { cause });
}

function totalTooLarge(): UploadRefusal {
  return new UploadRefusal(413, "The files together are larger than 50 MB.");
}

function errnoOf(error: unknown): string | undefined {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
}
