import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { keptFileOf, keptFilePath, MAX_UPLOAD_FILE_BYTES } from "@molecule/domain/kept-files";
import { uploadName } from "@molecule/domain/upload-name";
import { NoAnswerError } from "./http-json.ts";
import type { InboxFile } from "./inbox.ts";
import { type PlatformClient, refusalOf } from "./platform-client.ts";

/** A file that came with a message, on this machine. */
export interface FetchedFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/** A file cannot be fetched; the message names it and says why. Nothing of it is on this machine. */
export class FileUnavailableError extends Error {
  constructor(name: string, why: string, cause?: unknown) {
    super(`${name} cannot be fetched: ${why}`, cause === undefined ? undefined : { cause });
    this.name = "FileUnavailableError";
  }
}

/** Where it goes. */
export interface FetchOptions {
  /** Made when it is missing; every file gets a name of its own in it. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

const DEADLINE_MS = 600_000;

/**
 * Fetches a file that the platform keeps for this workspace. The token goes to the platform alone,
 * whatever address a message names. @throws FileUnavailableError | PlatformRefusal | NoAnswerError
 */
export async function fetchFile(
  client: PlatformClient,
  file: Pick<InboxFile, "uri" | "name">,
  { folder, signal }: FetchOptions,
): Promise<FetchedFile> {
  const kept = keptFileOf(file.uri);
  if (kept === null || kept.workspaceId !== client.workspaceId) {
    throw new FileUnavailableError(
      file.name,
      "the platform keeps no such file for this workspace.",
    );
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const toFile = path.join(folder, `${randomBytes(8).toString("hex")}-${uploadName(file.name)}`);
  try {
    const answer = await client.download({
      path: keptFilePath(kept),
      toFile,
      maxBytes: MAX_UPLOAD_FILE_BYTES,
      deadlineMs: DEADLINE_MS,
      signal,
    });
    if (answer.status === 200) return { path: toFile, size: answer.size };
    const refusal = refusalOf({ ...answer, retryAfterSeconds: undefined });
    if (refusal.status === 401 || refusal.status === 410) throw refusal;
    throw new FileUnavailableError(file.name, refusal.message, refusal);
  } catch (error) {
    if (error instanceof NoAnswerError) await rm(toFile, { force: true });
    throw error;
  }
}
