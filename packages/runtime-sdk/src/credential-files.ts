import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";

const TOKEN_FILE = ".auth_token";
const INBOUND_FILE = ".platform_inbound_secret";

/**
 * The two credentials of a workspace, as files beside its configuration. Values are read from disk
 * when they are needed, because the platform may replace them while we run. Source: wire contract
 * §19.1, §20.
 */
export interface CredentialFiles {
  /** The workspace token as last read; undefined while there is none. */
  readonly token: () => Promise<string | undefined>;
  /** Forgets the cached token, so that the next {@link CredentialFiles.token} reads the file. */
  readonly forgetToken: () => void;
  readonly storeToken: (token: string) => Promise<void>;
  /** The secret the platform proves itself with; undefined while there is none. Never cached. */
  readonly inboundSecret: () => Promise<string | undefined>;
  readonly storeInboundSecret: (secret: string) => Promise<void>;
}

/** Where the credentials are; `fixedToken` wins over the file (an agent outside the platform). */
export interface CredentialOptions {
  readonly folder: string;
  readonly fixedToken?: string | undefined;
}

/** Credentials kept in `folder`, written with mode 0600 and replaced as a whole. */
export function credentialFiles(options: CredentialOptions): CredentialFiles {
  let cached: string | undefined;
  return {
    token: async () => {
      if (options.fixedToken !== undefined) return options.fixedToken;
      cached ??= await readTrimmed(path.join(options.folder, TOKEN_FILE));
      return cached;
    },
    forgetToken: () => {
      cached = undefined;
    },
    storeToken: async (token) => {
      await replaceFile(path.join(options.folder, TOKEN_FILE), token);
      cached = token;
    },
    inboundSecret: () => readTrimmed(path.join(options.folder, INBOUND_FILE)),
    storeInboundSecret: (secret) => replaceFile(path.join(options.folder, INBOUND_FILE), secret),
  };
}

async function readTrimmed(file: string): Promise<string | undefined> {
  try {
    const text = (await readFile(file, "utf8")).trim();
    return text === "" ? undefined : text;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const next = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(next, text, { mode: 0o600, flag: "wx" });
  await rename(next, file);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
