import type {
  InstanceKey,
  Shell,
  ShellEnd,
  ShellRequest,
  TerminalAccess,
} from "../provisioning/compute-backend.ts";

/**
 * A shell in memory: what is written is printed, `exit N` ends it with that code. Tests print with `print`
 * and read `size`, `isPaused` and `isClosed`.
 */
export class FakeShell implements Shell {
  readonly request: ShellRequest;
  readonly ended: Promise<ShellEnd>;
  size: { readonly cols: number; readonly rows: number };
  isPaused = false;
  isClosed = false;
  /** What was written, as text. */
  written = "";
  #listener: ((data: Buffer) => void) | null = null;
  #aging: ((inMs: number) => void) | null = null;
  #early: Buffer[] = [];
  #end: (end: ShellEnd) => void = () => undefined;

  constructor(request: ShellRequest) {
    this.request = request;
    this.size = { cols: request.cols, rows: request.rows };
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  print(text: string | Buffer): void {
    const data = Buffer.from(text);
    if (this.#listener === null) this.#early.push(data);
    else this.#listener(data);
  }

  /** Ends it from within. */
  finish(end: ShellEnd): void {
    this.#end(end);
  }

  age(inMs: number): void {
    this.#aging?.(inMs);
  }

  async write(data: Uint8Array): Promise<void> {
    const text = Buffer.from(data).toString();
    this.written += text;
    const code = /^exit (\d+)\r?\n?$/.exec(text)?.[1];
    if (code === undefined) this.print(text);
    else this.#end({ kind: "exited", exitCode: Number(code) });
  }

  resize(cols: number, rows: number): void {
    this.size = { cols, rows };
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  onOutput(listener: (data: Buffer) => void): void {
    this.#listener = listener;
    for (const data of this.#early.splice(0)) listener(data);
  }

  onAging(listener: (inMs: number) => void): void {
    this.#aging = listener;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.#end({ kind: "exited", exitCode: null });
  }
}

/** Gives {@link FakeShell}s; `before` runs first and may throw or wait. */
export class FakeTerminalAccess implements TerminalAccess {
  isOff = false;
  maxPerInstance = 8;
  readonly shells: FakeShell[] = [];
  /** Whether an attempt runs; absent: every one does. */
  isRunning: (key: InstanceKey) => boolean = () => true;
  before: (signal: AbortSignal) => Promise<void> = async () => undefined;

  async openShell(request: ShellRequest, signal: AbortSignal): Promise<Shell | null> {
    await this.before(signal);
    if (!this.isRunning(request.key)) return null;
    const shell = new FakeShell(request);
    this.shells.push(shell);
    return shell;
  }
}
