import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

const bookFile = z.object({
  version: z.literal(1),
  seen: z.array(z.string()),
  waiting: z.array(z.object({ id: z.string(), text: z.string() })),
});

/** What the platform told the agent, to be said to it with its next turn. */
export interface Note {
  /** The id of the message it came with; a note counts once per id. */
  readonly id: string;
  readonly text: string;
}

/** Ids that are remembered, so that a repeated message is known. */
const MAX_SEEN = 100;
/** Notes that wait for a turn; the oldest are forgotten first. */
const MAX_WAITING = 5;

/**
 * Notes of the platform that cost no turn of their own: kept in a file that survives restarts, until a
 * turn that carried them has ended well. Losing the file costs a note, so a broken one counts as empty.
 */
export class NoteBook {
  readonly #file: string;
  #seen: readonly string[];
  #waiting: readonly Note[];
  #saving: Promise<void> = Promise.resolve();

  private constructor(file: string, book: z.infer<typeof bookFile> | undefined) {
    this.#file = file;
    this.#seen = book?.seen ?? [];
    this.#waiting = book?.waiting ?? [];
  }

  static async open(homeDir: string): Promise<NoteBook> {
    const file = path.join(homeDir, ".molecule", "notes.json");
    const text = await readFile(file, "utf8").catch(() => "");
    return new NoteBook(file, bookFile.safeParse(parseJson(text)).data);
  }

  /** Notes no turn has carried yet, oldest first. */
  get waiting(): readonly Note[] {
    return this.#waiting;
  }

  /** Keeps a note; on disk when it resolves. One that was taken before changes nothing. */
  async take(note: Note): Promise<void> {
    if (this.#seen.includes(note.id)) return;
    this.#seen = [...this.#seen, note.id].slice(-MAX_SEEN);
    this.#waiting = [...this.#waiting, note].slice(-MAX_WAITING);
    await this.#save();
  }

  /** A turn that carried these has ended well. */
  async told(notes: readonly Note[]): Promise<void> {
    if (notes.length === 0) return;
    const ids = notes.map((note) => note.id);
    this.#waiting = this.#waiting.filter((note) => !ids.includes(note.id));
    await this.#save();
  }

  #save(): Promise<void> {
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#write());
    return this.#saving;
  }

  async #write(): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true });
    const next = `${this.#file}.${randomBytes(4).toString("hex")}`;
    const book = { version: 1, seen: this.#seen, waiting: this.#waiting };
    await writeFile(next, JSON.stringify(book), { mode: 0o600 });
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
