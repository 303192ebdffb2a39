import type { TerminalNotice, TerminalOrder } from "@molecule/contracts/terminal-protocol";
import {
  endOfShell,
  idleStep,
  MAX_VIEWERS_PER_TERMINAL,
  sharedSize,
  TERMINAL_END_TEXTS,
  TERMINAL_SCROLLBACK_BYTES,
  type TerminalEnd,
  type TerminalPlace,
  type TerminalSize,
} from "@molecule/domain/terminal";
import type { InstanceKey, Shell, ShellEnd } from "../provisioning/compute-backend.ts";
import { Scrollback } from "./scrollback.ts";

/** The connection of one viewer. */
export interface ViewerSink {
  /** Calls `done` when the bytes have left, or never will. */
  send(data: Uint8Array, done: () => void): void;
  tell(notice: TerminalNotice): void;
  /** Closes the connection with the end's code, after what was sent. */
  close(end: TerminalEnd): void;
  /** Takes no more input from the viewer until `resume`. */
  pause(): void;
  resume(): void;
}

/** What a viewer does with the terminal it looks at. */
export interface Viewing {
  input(data: Uint8Array): void;
  order(order: TerminalOrder): void;
  /** The viewer is gone; the terminal is not. */
  leave(): void;
}

/** What a terminal is made from. */
export interface SessionOptions {
  readonly id: string;
  readonly key: InstanceKey;
  readonly shell: Shell;
  /** Name of who opened it. */
  readonly openedBy: string;
  readonly idleMs: number;
  readonly nowMs: () => number;
  /** Where its workspace is now; asked when the shell has ended. */
  readonly findPlace: () => Promise<TerminalPlace | null>;
  /** Told once; `closing` settles when the shell and what it left running have ended. */
  readonly onEnd: (end: TerminalEnd, openedMs: number, closing: Promise<void>) => void;
}

/** Unsent bytes of one viewer at which it is sent no more for the moment. */
const VIEWER_WINDOW_BYTES = 262_144;
const SLICE_BYTES = 32_768;
/** How far the quickest viewer may be behind before the shell waits for it. */
const SHELL_LEAD_BYTES = 524_288;
/** Input of one viewer in {@link INPUT_WINDOW_MS} after which it is read no further for that long. */
const INPUT_WINDOW_BYTES = 1_048_576;
const INPUT_WINDOW_MS = 5_000;
/** A shell that ends this soon with such a code was never there. Source: POSIX, exit status of a shell. */
const NO_SHELL_CODES: ReadonlySet<number> = new Set([126, 127]);
const NO_SHELL_MS = 3_000;

/**
 * One shell and who looks at it. Output goes into the scrollback and from there to each viewer at its own
 * pace: a slow one has at most its window unsent, is moved over what it missed when that is no longer
 * kept, and holds up nobody else. The shell waits for the quickest viewer; while nobody looks it waits for
 * nobody. It ends with its shell, by `close`, or by `check` when nobody typed for too long; whichever
 * comes first decides what everybody is told.
 */
export class TerminalSession {
  readonly id: string;
  readonly key: InstanceKey;
  readonly openedBy: string;
  readonly openedAtMs: number;
  readonly #options: SessionOptions;
  readonly #kept = new Scrollback(TERMINAL_SCROLLBACK_BYTES);
  readonly #viewers = new Set<Viewer>();
  #size: TerminalSize;
  #typedAtMs: number;
  #isWarned = false;
  #isWaiting = false;
  #end: TerminalEnd | null = null;

  constructor(options: SessionOptions, size: TerminalSize) {
    this.id = options.id;
    this.key = options.key;
    this.openedBy = options.openedBy;
    this.#options = options;
    this.openedAtMs = options.nowMs();
    this.#typedAtMs = this.openedAtMs;
    this.#size = size;
    const { shell } = options;
    shell.onOutput((data) => this.#output(data));
    shell.onAging?.((inMs) => this.#warn("connection_replaced", inMs));
    void shell.ended.then((ended) => this.#shellEnded(ended));
  }

  get viewerCount(): number {
    return this.#viewers.size;
  }

  get isEnded(): boolean {
    return this.#end !== null;
  }

  /** Shows everything that is kept, and what follows. Null when there are as many viewers as may be. */
  attach(sink: ViewerSink, size: TerminalSize, isNew: boolean): Viewing | null {
    if (this.#end !== null) return null;
    if (this.#viewers.size >= MAX_VIEWERS_PER_TERMINAL) return null;
    const viewer = new Viewer(sink, size, this.#kept);
    this.#viewers.add(viewer);
    this.#typedAtMs = this.#options.nowMs();
    this.#isWarned = false;
    this.#fit();
    sink.tell({ kind: "ready", session: this.id, isNew, ...this.#size });
    this.#tellAll({ kind: "viewers", count: this.#viewers.size });
    viewer.pump(() => this.#balance());
    return {
      input: (data) => this.#input(viewer, data),
      order: (order) => this.#order(viewer, order),
      leave: () => this.#leave(viewer),
    };
  }

  /** Ends it when nobody typed for too long, or when its attempt is not the current one any more. */
  check(place: TerminalPlace | null): void {
    const gone = endOfShell(this.key, place);
    if (gone !== "shell_ended") {
      this.close(gone);
      return;
    }
    const nowMs = this.#options.nowMs();
    const times = { typedAtMs: this.#typedAtMs, nowMs, isWarned: this.#isWarned };
    const step = idleStep(times, this.#options.idleMs);
    if (step.kind === "end") this.close("idle");
    if (step.kind === "warn") {
      this.#isWarned = true;
      this.#warn("idle", step.leftMs);
    }
  }

  /** Ends it for everybody. Ended already is success. */
  close(end: TerminalEnd, exitCode?: number): void {
    if (this.#end !== null) return;
    this.#end = end;
    const { sentence, next } = TERMINAL_END_TEXTS[end];
    const notice: TerminalNotice = {
      kind: "end",
      end,
      sentence,
      next,
      ...(exitCode === undefined ? {} : { exitCode }),
    };
    for (const viewer of this.#viewers) viewer.finish(notice);
    this.#viewers.clear();
    const openedMs = this.#options.nowMs() - this.openedAtMs;
    this.#options.onEnd(end, openedMs, this.#options.shell.close());
  }

  async #shellEnded(ended: ShellEnd): Promise<void> {
    if (this.#end !== null) return;
    if (ended.kind === "aged") return this.close("connection_replaced");
    if (isNoShell(ended, this.#options.nowMs() - this.openedAtMs)) return this.close("no_shell");
    const place = await this.#options.findPlace().catch(() => undefined);
    const why = place === undefined ? "shell_ended" : endOfShell(this.key, place);
    if (why === "shell_ended" && ended.kind === "lost") return this.close("connection_lost");
    this.close(why, ended.exitCode ?? undefined);
  }

  #output(data: Buffer): void {
    this.#kept.append(data);
    for (const viewer of this.#viewers) viewer.pump(() => this.#balance());
    this.#balance();
  }

  /** The shell waits while everybody who looks is far behind. */
  #balance(): void {
    const behind = Math.min(...[...this.#viewers].map((viewer) => viewer.behind));
    const mustWait = this.#viewers.size > 0 && behind > SHELL_LEAD_BYTES;
    if (mustWait === this.#isWaiting) return;
    this.#isWaiting = mustWait;
    if (mustWait) this.#options.shell.pause();
    else this.#options.shell.resume();
  }

  #input(viewer: Viewer, data: Uint8Array): void {
    if (this.#end !== null || data.length === 0) return;
    this.#typedAtMs = this.#options.nowMs();
    this.#isWarned = false;
    viewer.holdUntil(this.#options.shell.write(data), data.length, this.#typedAtMs);
  }

  #order(viewer: Viewer, order: TerminalOrder): void {
    if (order.kind === "close") this.close("closed");
    else {
      viewer.size = order;
      this.#fit();
    }
  }

  #leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return;
    viewer.drop();
    this.#fit();
    this.#tellAll({ kind: "viewers", count: this.#viewers.size });
    this.#balance();
  }

  #fit(): void {
    if (this.#viewers.size === 0) return;
    const size = sharedSize([...this.#viewers].map((viewer) => viewer.size));
    if (size.cols === this.#size.cols && size.rows === this.#size.rows) return;
    this.#size = size;
    this.#options.shell.resize(size.cols, size.rows);
    this.#tellAll({ kind: "size", ...size });
  }

  #warn(end: TerminalEnd, inMs: number): void {
    this.#tellAll({ kind: "warning", end, inSeconds: Math.ceil(inMs / 1000) });
  }

  #tellAll(notice: TerminalNotice): void {
    for (const viewer of this.#viewers) viewer.tell(notice);
  }
}

function isNoShell(ended: ShellEnd, openedMs: number): boolean {
  const { kind, exitCode } = ended;
  return kind === "exited" && NO_SHELL_CODES.has(exitCode ?? 0) && openedMs < NO_SHELL_MS;
}

/** One viewer: its place in the output, what is on its way, and its size. */
class Viewer {
  size: TerminalSize;
  readonly #sink: ViewerSink;
  readonly #kept: Scrollback;
  #at: number;
  #unsent = 0;
  #isGone = false;
  #windowFromMs = 0;
  #windowBytes = 0;
  #holds = 0;

  constructor(sink: ViewerSink, size: TerminalSize, kept: Scrollback) {
    this.#sink = sink;
    this.size = size;
    this.#kept = kept;
    this.#at = kept.firstLine();
  }

  /** Bytes that it has not been sent. */
  get behind(): number {
    return this.#kept.end - this.#at + this.#unsent;
  }

  tell(notice: TerminalNotice): void {
    this.#sink.tell(notice);
  }

  /** Sends what fits; `onSpace` is called each time some of it has left. */
  pump(onSpace: () => void): void {
    while (!this.#isGone && this.#unsent < VIEWER_WINDOW_BYTES && this.#at < this.#kept.end) {
      if (this.#at < this.#kept.start) this.#skip();
      const slice = this.#kept.read(this.#at, SLICE_BYTES);
      if (slice.length === 0) return;
      this.#at += slice.length;
      this.#unsent += slice.length;
      this.#sink.send(slice, () => {
        this.#unsent -= slice.length;
        if (this.#isGone) return;
        this.pump(onSpace);
        onSpace();
      });
    }
  }

  /** Reads no more of its input until `written` has settled, nor while it sends faster than anybody types. */
  holdUntil(written: Promise<void>, bytes: number, nowMs: number): void {
    this.#hold();
    const release = () => this.#release();
    written.then(release, release);
    if (nowMs - this.#windowFromMs > INPUT_WINDOW_MS) {
      this.#windowFromMs = nowMs;
      this.#windowBytes = 0;
    }
    this.#windowBytes += bytes;
    if (this.#windowBytes < INPUT_WINDOW_BYTES) return;
    this.#windowBytes = 0;
    this.#hold();
    setTimeout(() => this.#release(), INPUT_WINDOW_MS).unref();
  }

  drop(): void {
    this.#isGone = true;
  }

  /** Sends what is left as far as that fits, then the last notice. */
  finish(notice: TerminalNotice): void {
    this.pump(() => undefined);
    this.#isGone = true;
    this.#sink.tell(notice);
    if (notice.kind === "end") this.#sink.close(notice.end);
  }

  #skip(): void {
    const to = this.#kept.firstLine();
    this.#sink.tell({ kind: "gap", bytes: to - this.#at });
    this.#at = to;
  }

  #hold(): void {
    this.#holds += 1;
    if (this.#holds === 1) this.#sink.pause();
  }

  #release(): void {
    this.#holds -= 1;
    if (this.#holds === 0) this.#sink.resume();
  }
}
