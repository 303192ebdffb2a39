import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { attachment } from "@molecule/contracts/wire";
import { z } from "zod";
import { mimeTypeOfContent } from "./files/mime-type.ts";
import { NoAnswerError, type RawBody } from "./http-json.ts";
import { type PlatformClient, type PlatformRefusal, refusalOf } from "./platform-client.ts";

/** A file of this machine that a person should get. */
export interface LocalFile {
  readonly path: string;
  /** Absent: the last part of the path. */
  readonly name?: string | undefined;
  /** Absent: told from the content and the name. */
  readonly mimeType?: string | undefined;
}

/** A file that the platform holds, as `notify` attaches it. Source: wire contract §8.1. */
export type UploadedFile = z.infer<typeof attachment>;

/** One file could not be sent; the message names it and says why. Nothing else was done with the rest. */
export class FileRefusedError extends Error {
  readonly file: string;

  constructor(file: string, why: string, cause?: unknown) {
    super(`${file} could not be sent: ${why}`, cause === undefined ? undefined : { cause });
    this.name = "FileRefusedError";
    this.file = file;
  }
}

/** Limits of one message. Source: wire contract §8.1, §9.2. */
const MAX_FILES = 64;
const MAX_FILE_BYTES = 25 * 1024 * 1024;
const UPLOAD_DEADLINE_MS = 120_000;
/** How often and how long a workspace that is not ready for a file yet is waited for. */
const MAX_WAITS = 2;
const LONGEST_WAIT_MS = 30_000;

const uploadAnswer = z.object({ files: z.array(attachment).length(1) });

interface ReadFile {
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Buffer;
}

/**
 * Sends files to the platform and answers how they are attached, in the same order. All of them are read
 * before the first is sent; each goes in a request of its own, so that a refusal is about one file.
 * @throws FileRefusedError | NoAnswerError
 */
export async function uploadFiles(
  client: PlatformClient,
  files: readonly LocalFile[],
  signal?: AbortSignal,
): Promise<readonly UploadedFile[]> {
  if (files.length > MAX_FILES) {
    throw new FileRefusedError(`${files.length} files`, `at most ${MAX_FILES} go with a message.`);
  }
  const read: ReadFile[] = [];
  for (const file of files) read.push(await readLocal(file));
  const uploaded: UploadedFile[] = [];
  for (const file of read) uploaded.push(await uploadOne(client, file, signal));
  return uploaded;
}

async function readLocal(file: LocalFile): Promise<ReadFile> {
  const name = file.name ?? path.basename(file.path);
  const handle = await open(file.path, "r").catch((cause: unknown) => {
    throw new FileRefusedError(file.path, whyUnreadable(cause), cause);
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new FileRefusedError(file.path, "it is not a file.");
    if (stat.size > MAX_FILE_BYTES) {
      throw new FileRefusedError(file.path, "it is larger than 25 MB.");
    }
    const bytes = await handle.readFile();
    return { name, bytes, mimeType: file.mimeType ?? mimeTypeOfContent(name, bytes) };
  } finally {
    await handle.close();
  }
}

function whyUnreadable(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return "it does not exist.";
  return code === "EACCES" || code === "EPERM" ? "it may not be read." : "it cannot be read.";
}

async function uploadOne(
  client: PlatformClient,
  file: ReadFile,
  signal: AbortSignal | undefined,
): Promise<UploadedFile> {
  for (let waits = 0; ; waits += 1) {
    const answer = await client.call({
      method: "POST",
      path: `/workspaces/${encodeURIComponent(client.workspaceId)}/chat/uploads`,
      raw: formOf(file),
      deadlineMs: UPLOAD_DEADLINE_MS,
      signal,
    });
    if (answer.status === 200) {
      const [uploaded] = uploadAnswer.safeParse(answer.body).data?.files ?? [];
      if (uploaded !== undefined) return uploaded;
      throw new FileRefusedError(file.name, "the answer to its upload could not be understood.");
    }
    const refusal = refusalOf(answer);
    const seconds = refusal.retryAfterSeconds;
    if (seconds === undefined || waits >= MAX_WAITS) throw refused(file, refusal);
    const pause = delay(Math.min(LONGEST_WAIT_MS, seconds * 1000), undefined, { signal });
    await pause.catch((cause: unknown) => {
      throw new NoAnswerError("cancelled", "The upload was cancelled", cause);
    });
  }
}

function refused(file: ReadFile, refusal: PlatformRefusal): Error {
  // Who may not speak at all is told so, whatever the file.
  if (refusal.status === 401 || refusal.status === 410) return refusal;
  const why = refusal.next === undefined ? refusal.message : `${refusal.message} ${refusal.next}`;
  return new FileRefusedError(file.name, why, refusal);
}

function formOf(file: ReadFile): RawBody {
  const boundary = `molecule-${randomBytes(16).toString("hex")}`;
  const head = [
    `--${boundary}`,
    `Content-Disposition: form-data; name="files"; filename="${escaped(file.name)}"`,
    `Content-Type: ${file.mimeType.replace(/[\r\n]/g, "")}`,
    "",
    "",
  ].join("\r\n");
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([Buffer.from(head), file.bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}

/** Source: the HTML standard on multipart names. */
function escaped(name: string): string {
  return name.replace(/"/g, "%22").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}
