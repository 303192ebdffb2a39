import type { Duplex } from "node:stream";
import { operationTimeoutMs, type TunnelSettings } from "@molecule/domain/tunnel-pool";
import type { ClientChannel, SFTPWrapper, Client as SshClient } from "ssh2";
import type { Carrier } from "./carrier.ts";
import {
  ChannelLimitError,
  ExecError,
  FileError,
  failureOf,
  OpTimeoutError,
  TunnelError,
} from "./errors.ts";
import { type CommandOptions, type CommandResult, ExecLane } from "./exec-lane.ts";
import { faultOfStatus } from "./file-status.ts";
import type { OperationBounds, Settle } from "./operation.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { type RemoteShell, shellOf } from "./remote-shell.ts";
import { SftpFiles } from "./sftp-files.ts";

/** A sign of life that is asked for after a time is over may take this long. */
const PROBE_MS = 3_000;
const CLOSE_MS = 1_000;

/**
 * One SSH connection with all its channels. Modes: ready; ended (`fault` says why, all that ran was
 * rejected with it, nothing can be started). Callbacks of the library may never come once it has ended,
 * so every operation races the end of the connection and its own time.
 */
export class SshConnection implements PooledConnection {
  readonly ended: Promise<TunnelError>;
  readonly files: SftpFiles;
  readonly #client: SshClient;
  readonly #carrier: Carrier;
  readonly #settings: TunnelSettings;
  readonly #exec: ExecLane;
  readonly #running = new Set<(fault: TunnelError) => void>();
  readonly #tellEnd: (fault: TunnelError) => void;
  #fault: TunnelError | null = null;
  #closing: Promise<void> | null = null;
  #probe: Promise<void> | null = null;

  constructor(client: SshClient, carrier: Carrier, settings: TunnelSettings) {
    this.#client = client;
    this.#carrier = carrier;
    this.#settings = settings;
    let tell: (fault: TunnelError) => void = () => undefined;
    this.ended = new Promise((resolve) => {
      tell = resolve;
    });
    this.#tellEnd = tell;
    this.#exec = new ExecLane(this, client, settings.maxExec);
    this.files = new SftpFiles(this, settings);
    client.removeAllListeners("error");
    client.removeAllListeners("close");
    client.on("error", (error: Error & { level?: string }) => {
      const fault = error.level === "client-timeout" ? "keepalive-timeout" : "protocol";
      if (error.level === "client-socket") this.#endSoon(error);
      else this.#end(new TunnelError(fault, {}, { cause: error }));
    });
    client.on("close", () => this.#endSoon());
    void carrier.ended.then((fault) => this.#end(fault));
  }

  get fault(): TunnelError | null {
    return this.#fault;
  }

  /** Operations under way. */
  get inflight(): number {
    return this.#running.size;
  }

  /**
   * Runs one operation. It ends by its own answer, by the end of the connection, by its time or by the
   * caller's signal, whatever comes first.
   */
  async perform<T>(bounds: OperationBounds, start: (settle: Settle<T>) => void): Promise<T> {
    bounds.signal?.throwIfAborted();
    if (this.#fault !== null) throw this.#fault;
    const timeoutMs = bounds.timeoutMs ?? operationTimeoutMs(this.#settings, bounds.bytes ?? 0);
    return await new Promise<T>((resolve, reject) => {
      const end = (settle: () => void) => {
        if (!this.#running.delete(fail)) return;
        clearTimeout(timer);
        bounds.signal?.removeEventListener("abort", onAbort);
        settle();
      };
      const fail = (fault: TunnelError) => end(() => reject(fault));
      const onAbort = () => end(() => reject(bounds.signal?.reason as Error));
      const timer = setTimeout(() => {
        end(() => reject(new OpTimeoutError(timeoutMs)));
        this.#askForLife();
      }, timeoutMs);
      this.#running.add(fail);
      bounds.signal?.addEventListener("abort", onAbort, { once: true });
      const rejectWith = (error: unknown) => {
        const typed = typedError(error, bounds.path ?? "");
        if (typed !== null) return end(() => reject(typed));
        // Neither a status nor a reason: the connection ended, and in a moment it is known why.
        this.#endSoon(error);
      };
      try {
        start({ resolve: (result) => end(() => resolve(result)), reject: rejectWith });
      } catch (error) {
        rejectWith(error);
      }
    });
  }

  /** Runs a command. It is constant: nothing of a path or of a person is ever part of it. */
  run(command: string, options: CommandOptions = {}): Promise<CommandResult> {
    return this.#exec.run(command, options);
  }

  /** The output of a command that ends well. @throws ExecError */
  async exec(command: string, options: CommandOptions = {}): Promise<Buffer> {
    const { code, signal, stdout, stderr } = await this.run(command, options);
    if (code !== 0) throw new ExecError(code, signal, stderr);
    return stdout;
  }

  /** A terminal of its own on this connection. */
  async openShell(size: { readonly cols: number; readonly rows: number }): Promise<RemoteShell> {
    const window = { ...size, term: "xterm-256color" };
    const channel = await this.perform<ClientChannel>({}, ({ resolve, reject }) => {
      this.#client.shell(window, (error, stream) => (error ? reject(error) : resolve(stream)));
    });
    return shellOf(channel);
  }

  /** A TCP connection to a port of the machine, as the machine itself would open it. */
  openPort(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    return this.perform<Duplex>({ signal }, ({ resolve, reject }) => {
      this.#client.forwardOut("127.0.0.1", 0, host, port, (error, stream) =>
        error ? reject(error) : resolve(stream),
      );
    });
  }

  /** A channel of the file protocol; its own end is the end of the connection. */
  openSftp(): Promise<SFTPWrapper> {
    return this.perform<SFTPWrapper>({}, ({ resolve, reject }) => {
      this.#client.sftp((error, sftp) => {
        if (error) return reject(error);
        sftp.on("error", (cause: unknown) => this.#end(new TunnelError("protocol", {}, { cause })));
        sftp.on("close", () => this.#endSoon());
        resolve(sftp);
      });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeNow();
    return this.#closing;
  }

  async #closeNow(): Promise<void> {
    this.#end(new TunnelError("pool-closed"));
    const late = setTimeout(() => this.#carrier.stream.destroy(), CLOSE_MS);
    this.#client.on("error", () => undefined);
    await this.#carrier.close();
    clearTimeout(late);
    this.#client.destroy();
  }

  /** Ends by what the way says, which comes a moment later than the protocol notices. */
  #endSoon(cause?: unknown): void {
    setTimeout(() => this.#end(new TunnelError("peer-closed", {}, { cause })), 10);
  }

  #end(fault: TunnelError): void {
    if (this.#fault !== null) return;
    this.#fault = fault;
    for (const fail of [...this.#running]) fail(fault);
    this.#tellEnd(fault);
    if (fault.fault !== "pool-closed") void this.close();
  }

  /** Slow or dead? Whatever else is asked at the same time has the same answer. SPEC: TU10. */
  #askForLife(): void {
    if (this.#fault !== null) return;
    this.#probe ??= this.files
      .probe(Math.min(PROBE_MS, this.#settings.opTimeoutMs))
      .catch((error: unknown) => {
        if (error instanceof FileError || error instanceof ChannelLimitError) return;
        this.#end(new TunnelError("keepalive-timeout", {}, { cause: error }));
      })
      .finally(() => {
        this.#probe = null;
      });
  }
}

/** By the property that each kind of answer has and no other; null: it is no answer at all. */
function typedError(error: unknown, path: string): Error | null {
  if (failureOf(error) !== "unknown") return error as Error;
  const { code, reason } = (error ?? {}) as { code?: unknown; reason?: unknown };
  if (typeof code === "number") return new FileError(faultOfStatus(code), path, code);
  if (typeof reason === "number") return new ChannelLimitError(reason);
  return null;
}
