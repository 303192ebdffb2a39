import { setTimeout as delay } from "node:timers/promises";
import type { ClientChannel, Client as SshClient } from "ssh2";
import { ChannelLimitError } from "./errors.ts";
import type { OperationBounds, Settle } from "./operation.ts";

/** What the lane needs of its connection. */
interface Performer {
  perform<T>(bounds: OperationBounds, start: (settle: Settle<T>) => void): Promise<T>;
}

/** A machine frees a channel only after it has reaped the command: what was refused may go a moment later. */
const MAX_REFUSALS = 6;
const REFUSAL_MS = 10;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_STDERR_BYTES = 4_096;

/** How a command ended. */
export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  /** Its last 4 KiB. */
  readonly stderr: string;
}

/** What goes with a command. */
export interface CommandOptions {
  readonly input?: Uint8Array;
  /** Instead of the time of an operation, in ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Commands on one connection, no more at once than leaves channels for files and terminals. */
export class ExecLane {
  readonly #performer: Performer;
  readonly #client: SshClient;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(performer: Performer, client: SshClient, max: number) {
    this.#performer = performer;
    this.#client = client;
    this.#free = max;
  }

  /** @throws ChannelLimitError */
  async run(command: string, options: CommandOptions): Promise<CommandResult> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      for (let refusals = 0; ; refusals += 1) {
        try {
          return await this.#once(command, options);
        } catch (error) {
          if (!(error instanceof ChannelLimitError) || refusals === MAX_REFUSALS) throw error;
          await delay(REFUSAL_MS * 2 ** refusals);
        }
      }
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  #once(command: string, options: CommandOptions): Promise<CommandResult> {
    const { input, timeoutMs, signal } = options;
    const bytes = input?.length ?? 0;
    const bounds = { bytes, signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    return this.#performer.perform<CommandResult>(bounds, (settle) => {
      this.#client.exec(command, (error, channel) => {
        if (error) settle.reject(error);
        else collect(channel, settle, input);
      });
    });
  }
}

function collect(
  channel: ClientChannel,
  settle: Settle<CommandResult>,
  input: Uint8Array | undefined,
): void {
  const output: Buffer[] = [];
  let size = 0;
  let stderr = "";
  let exit: { readonly code: number | null; readonly signal: string | null } | null = null;
  channel.on("data", (data: Buffer) => {
    size += data.length;
    if (size > MAX_OUTPUT_BYTES) channel.destroy();
    else output.push(data);
  });
  channel.stderr.on("data", (data: Buffer) => {
    stderr = (stderr + data.toString("utf8")).slice(-MAX_STDERR_BYTES);
  });
  channel.on("exit", (code: number | null, signal?: string) => {
    exit = { code, signal: signal?.replace(/^SIG/, "") ?? null };
  });
  channel.on("close", () => {
    // A command that says nothing of its end did not end: its connection did, and will say why.
    if (exit === null) settle.reject(new Error("no exit status"));
    else settle.resolve({ ...exit, stdout: Buffer.concat(output), stderr });
  });
  channel.end(input);
}
