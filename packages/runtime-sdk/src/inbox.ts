import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ActivityRow, type PlatformClient, PlatformRefusal } from "./platform-client.ts";

/** A message that the platform keeps for an agent which comes for its messages. */
export interface InboxMessage {
  /** Of the activity row; names the message for {@link Inbox.done}. */
  readonly id: string;
  /** The agent that sent it; undefined: a person. */
  readonly senderId: string | undefined;
  readonly text: string;
  readonly files: readonly InboxFile[];
  /** RFC 3339; undefined when the platform did not say. */
  readonly receivedAt: string | undefined;
  /** The sender's id of it; an answer names it. Undefined when the sender gave none. */
  readonly messageId: string | undefined;
  /** Set when it is a task that the sender follows. */
  readonly taskId: string | undefined;
}

/** A file that came with a message; the workspace fetches `uri` with its own token. */
export interface InboxFile {
  readonly name: string;
  readonly uri: string;
  readonly mimeType: string | undefined;
}

/** Settings of an {@link Inbox}. */
export interface InboxOptions {
  readonly client: PlatformClient;
  /** Where the place in the list is remembered. */
  readonly folder: string;
  /** Default 2 000 ms, while somebody waits. */
  readonly lookEveryMs?: number | undefined;
}

/** Source: wire contract §8.3. */
const CURSOR_FILE = ".mcp_inbox_cursor";
/** An agent that comes for the first time is not given older messages, in ms. Source: §8.3. */
const FIRST_LOOK_BACK_MS = 600_000;
const LOOK_EVERY_MS = 2_000;
const MAX_ROWS = 500;
const MAX_SINCE_SECONDS = 2_592_000;

/** What is remembered: everything up to `cursor` is done, and of what came later `done`. */
interface Place {
  /** A row, or the instant from which on rows count while none is done. */
  readonly cursor: { readonly rowId: string } | { readonly since: Date };
  readonly done: readonly string[];
}

/**
 * The messages of an agent in poll mode, oldest first. A message is given again and again until it is said to
 * be done, over restarts too, so a crash loses none. Its file: the cursor on the first line, as published
 * clients write it, then what is done beyond it.
 */
export class Inbox {
  readonly #client: PlatformClient;
  readonly #file: string;
  readonly #lookEveryMs: number;
  #place: Place | undefined;
  /** Rows after the cursor, oldest first, as last seen. */
  #rows: readonly ActivityRow[] = [];
  #busy: Promise<unknown> = Promise.resolve();

  constructor(options: InboxOptions) {
    this.#client = options.client;
    this.#file = path.join(options.folder, CURSOR_FILE);
    this.#lookEveryMs = options.lookEveryMs ?? LOOK_EVERY_MS;
  }

  /** Messages that are not done, oldest first. @throws PlatformRefusal | NoAnswerError */
  waiting(): Promise<readonly InboxMessage[]> {
    return this.#alone(async () => {
      await this.#look();
      return this.#open();
    });
  }

  /** As {@link Inbox.waiting}, but looks again until there is one, for at most `timeoutMs`. */
  async wait(timeoutMs: number, signal?: AbortSignal): Promise<readonly InboxMessage[]> {
    const endsAt = performance.now() + timeoutMs;
    for (;;) {
      const found = await this.waiting();
      const leftMs = endsAt - performance.now();
      if (found.length > 0 || leftMs <= 0 || signal?.aborted === true) return found;
      await delay(Math.min(leftMs, this.#lookEveryMs), undefined, { signal }).catch(
        () => undefined,
      );
    }
  }

  /** Never gives the message again; false when it does not wait. */
  done(id: string): Promise<boolean> {
    return this.#alone(async () => {
      const isOpen = () => this.#open().some((message) => message.id === id);
      if (!isOpen()) await this.#look();
      if (!isOpen()) return false;
      const place = await this.#read();
      await this.#keep({ ...place, done: [...place.done, id] });
      return true;
    });
  }

  /** One look or write at a time. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#busy.catch(() => undefined).then(work);
    this.#busy = mine;
    return mine;
  }

  #open(): readonly InboxMessage[] {
    const done = this.#place?.done ?? [];
    return this.#rows.flatMap((row) => {
      const message = messageOf(row, this.#client.workspaceId);
      return message === undefined || done.includes(row.id) ? [] : [message];
    });
  }

  async #look(): Promise<void> {
    const place = await this.#read();
    try {
      this.#rows =
        "rowId" in place.cursor
          ? await this.#rowsAfter(place.cursor.rowId)
          : await this.#rowsSince(place.cursor.since);
    } catch (error) {
      // The row of the cursor is not kept any more: begin again, as published clients do. The same status
      // means that the workspace is gone, and then the next call says so.
      if (!(error instanceof PlatformRefusal && error.status === 410 && "rowId" in place.cursor)) {
        throw error;
      }
      const since = new Date(Date.now() - FIRST_LOOK_BACK_MS);
      this.#rows = await this.#rowsSince(since);
      await this.#keep({ cursor: { since }, done: place.done });
      return;
    }
    await this.#keep(place);
  }

  async #rowsAfter(rowId: string): Promise<readonly ActivityRow[]> {
    const all: ActivityRow[] = [];
    for (let after = rowId; ; ) {
      const page = await this.#page({ since_id: after });
      all.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < MAX_ROWS) return all;
      after = last.id;
    }
  }

  /** Newest first on the wire, so pages go backwards; one that overlaps its neighbour loses none. */
  async #rowsSince(since: Date): Promise<readonly ActivityRow[]> {
    const seconds = Math.ceil((Date.now() - since.getTime()) / 1000);
    const since_secs = String(Math.min(MAX_SINCE_SECONDS, Math.max(1, seconds)));
    const found = new Map<string, ActivityRow>();
    for (let before: string | undefined; ; ) {
      const page = await this.#page({
        since_secs,
        ...(before === undefined ? {} : { before_ts: before }),
      });
      const known = found.size;
      for (const row of page) found.set(row.id, row);
      const oldest = page.at(-1)?.created_at;
      const isLast = page.length < MAX_ROWS || found.size === known;
      if (isLast || typeof oldest !== "string") return [...found.values()].reverse();
      before = new Date(new Date(oldest).getTime() + 1).toISOString();
    }
  }

  #page(query: Readonly<Record<string, string>>): Promise<readonly ActivityRow[]> {
    return this.#client.activity({ type: "a2a_receive", limit: String(MAX_ROWS), ...query });
  }

  async #read(): Promise<Place> {
    this.#place ??= parsePlace(await readFile(this.#file, "utf8").catch(() => ""));
    if (this.#place !== undefined) return this.#place;
    const since = new Date(Date.now() - FIRST_LOOK_BACK_MS);
    await this.#write({ cursor: { since }, done: [] });
    return { cursor: { since }, done: [] };
  }

  /** Moves the cursor over everything at the front that is done or is no message. */
  async #keep(place: Place): Promise<void> {
    const isOver = (row: ActivityRow) =>
      place.done.includes(row.id) || messageOf(row, this.#client.workspaceId) === undefined;
    const firstOpen = this.#rows.findIndex((row) => !isOver(row));
    const passed = this.#rows.slice(0, firstOpen === -1 ? this.#rows.length : firstOpen);
    const last = passed.at(-1);
    this.#rows = this.#rows.slice(passed.length);
    const ids = new Set(passed.map((row) => row.id));
    await this.#write({
      cursor: last === undefined ? place.cursor : { rowId: last.id },
      done: place.done.filter((id) => !ids.has(id)),
    });
  }

  async #write(place: Place): Promise<void> {
    const text = textOfPlace(place);
    if (this.#place !== undefined && textOfPlace(this.#place) === text) return;
    const next = `${this.#file}.${randomBytes(6).toString("hex")}`;
    await writeFile(next, text, { mode: 0o600, flag: "wx" });
    await rename(next, this.#file);
    this.#place = place;
  }
}

function textOfPlace({ cursor, done }: Place): string {
  const first = "rowId" in cursor ? cursor.rowId : cursor.since.toISOString();
  return [first, ...done, ""].join("\n");
}

function parsePlace(text: string): Place | undefined {
  const [first = "", ...done] = text.split("\n").filter((line) => line !== "");
  if (first === "") return undefined;
  const since = new Date(first);
  const isInstant = first.includes("T") && !Number.isNaN(since.getTime());
  return { cursor: isInstant ? { since } : { rowId: first }, done };
}

/** The message of a row that waits for an answer; undefined for every other row. */
function messageOf(row: ActivityRow, ownId: string): InboxMessage | undefined {
  if (row.response_body !== undefined && row.response_body !== null) return undefined;
  if (row.status === "error" || row.source_id === ownId) return undefined;
  const message = recordOf(recordOf(recordOf(row.request_body).params).message);
  if (!Array.isArray(message.parts)) return undefined;
  const parts = message.parts.map(recordOf);
  const taskId = recordOf(message.metadata).delegation_id;
  return {
    id: row.id,
    senderId: row.source_id ?? undefined,
    text: parts.flatMap((part) => textIn(part.text) ?? []).join("\n"),
    files: parts.flatMap((part) => fileOf(part) ?? []),
    receivedAt: row.created_at ?? undefined,
    messageId: textIn(message.messageId),
    taskId: textIn(taskId),
  };
}

function fileOf(part: Readonly<Record<string, unknown>>): InboxFile | undefined {
  const file = recordOf(part.file);
  const uri = textIn(file.uri);
  if (uri === undefined) return undefined;
  return { uri, name: textIn(file.name) ?? uri, mimeType: textIn(file.mimeType) };
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
