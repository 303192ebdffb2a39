import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

const bookFile = z.object({
  version: z.literal(1),
  sessions: z.array(
    z.object({
      contextId: z.string(),
      sessionId: z.string(),
      cwd: z.string(),
      instructions: z.string().default(""),
    }),
  ),
});

/** A session of the agent. */
export interface KnownSession {
  readonly sessionId: string;
  readonly cwd: string;
  /** Digest of the instructions that the agent was last given in it. */
  readonly instructions: string;
}

/** Conversations that are remembered over restarts; the least recently used are forgotten first. */
const MAX_SESSIONS = 500;

/**
 * Which session of the agent belongs to which conversation, in a file that survives restarts. Losing
 * the file costs memory of conversations, nothing else, so a broken one counts as empty.
 */
export class SessionBook {
  readonly #file: string;
  readonly #sessions: Map<string, KnownSession>;
  #saving: Promise<void> = Promise.resolve();

  private constructor(file: string, sessions: Map<string, KnownSession>) {
    this.#file = file;
    this.#sessions = sessions;
  }

  static async open(homeDir: string): Promise<SessionBook> {
    const file = path.join(homeDir, ".molecule", "sessions.json");
    const text = await readFile(file, "utf8").catch(() => "");
    const book = bookFile.safeParse(parseJson(text)).data?.sessions ?? [];
    const entries = book.map(({ contextId, ...known }) => [contextId, known] as const);
    return new SessionBook(file, new Map(entries));
  }

  /** The session of a conversation, if it was opened in the same folder. */
  find(contextId: string, cwd: string): KnownSession | undefined {
    const entry = this.#sessions.get(contextId);
    return entry?.cwd === cwd ? entry : undefined;
  }

  /** Remembers the session as the most recently used; written in the background, in order. */
  remember(contextId: string, session: KnownSession): void {
    this.#sessions.delete(contextId);
    this.#sessions.set(contextId, { ...session });
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= MAX_SESSIONS) break;
      this.#sessions.delete(oldest);
    }
    this.#saving = this.#saving.then(() => this.#save()).catch(() => undefined);
  }

  /** Everything remembered so far is on disk, as far as the disk took it. */
  async flushed(): Promise<void> {
    await this.#saving;
  }

  async #save(): Promise<void> {
    const sessions = [...this.#sessions].map(([contextId, entry]) => ({ contextId, ...entry }));
    await mkdir(path.dirname(this.#file), { recursive: true });
    const next = `${this.#file}.${randomBytes(4).toString("hex")}`;
    await writeFile(next, JSON.stringify({ version: 1, sessions }), { mode: 0o600 });
    await rename(next, this.#file);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
