/** Largest upload with all its files, in bytes. Source: wire contract §9.1. */
export const MAX_UPLOAD_BYTES = 50 * 1024 * 1024;
/** Largest file of an upload, in bytes. Source: wire contract §9.2. */
export const MAX_UPLOAD_FILE_BYTES = 25 * 1024 * 1024;
/** Files of one upload. Source: wire contract §9.2. */
export const MAX_UPLOAD_FILES = 64;
/** How long a file is kept for an agent that polls, in days. */
export const KEPT_FILE_DAYS = 7;
/** What is kept for one agent at a time, in bytes; it is all in the database. */
export const MAX_KEPT_BYTES = 500 * 1024 * 1024;

const SCHEME = "platform:";
const ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const KEPT = new RegExp(`^${SCHEME}/workspaces/(${ID})/chat/uploads/(${ID})$`);

/** A file that the platform keeps. */
export interface KeptFileRef {
  readonly workspaceId: string;
  readonly fileId: string;
}

/**
 * How a kept file is named in messages: `platform:` and the path below the platform's own address where
 * the workspace fetches it. Never a whole address, so that nobody sends a token anywhere else. SPEC: KF1.
 */
export function keptFileUri({ workspaceId, fileId }: KeptFileRef): string {
  return `${SCHEME}${keptFilePath({ workspaceId, fileId })}`;
}

/** The path of a kept file below the platform's address. */
export function keptFilePath({ workspaceId, fileId }: KeptFileRef): string {
  return `/workspaces/${workspaceId}/chat/uploads/${fileId}`;
}

/** The kept file a uri names; null for every other uri. SPEC: KF1. */
export function keptFileOf(uri: string): KeptFileRef | null {
  const [, workspaceId, fileId] = KEPT.exec(uri) ?? [];
  return workspaceId === undefined || fileId === undefined ? null : { workspaceId, fileId };
}
