import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { promisify } from "node:util";
import type {
  InstanceKey,
  Shell,
  ShellEnd,
  ShellRequest,
  TerminalAccess,
} from "../../provisioning/compute-backend.ts";
import { HANG_UP_SCRIPT, SHELL_SCRIPT, shellEnvironment } from "../../terminal/hang-up.ts";
import type { Account } from "./accounts.ts";
import type { Places } from "./places.ts";
import { classified, processFailure } from "./process-failures.ts";

/** What shells beside processes need to know. */
export interface ProcessShellOptions {
  /** MOLECULE_PROCESS_TERMINAL. */
  readonly isAllowed: boolean;
  /** True when every workspace has a user of its own. */
  readonly isRoot: boolean;
  readonly isRunning: (key: InstanceKey) => Promise<boolean>;
  readonly placesOf: (workspaceId: string) => Places;
  readonly accountOf: (places: Places) => Promise<Account | null>;
  /** The variable with which everything of an instance is found, for this attempt. */
  readonly markOf: (key: InstanceKey) => Readonly<Record<string, string>>;
}

/** Drops every right of the platform's user, its groups too. Part of util-linux. */
const SETPRIV = "/usr/bin/setpriv";
const HANG_UP_MS = 10_000;

type Pty = import("@lydell/node-pty").IPty;

/** Shells on pseudoterminals of this machine, as the workspace's own user where it has one. */
export function createProcessTerminal(options: ProcessShellOptions): TerminalAccess {
  return {
    isOff: !options.isAllowed,
    openShell: (request) =>
      classified("internal", "A shell could not be started on this machine.", () =>
        openShell(options, request),
      ),
  };
}

async function openShell(
  options: ProcessShellOptions,
  request: ShellRequest,
): Promise<Shell | null> {
  const { key, terminalId, cols, rows, idleSeconds } = request;
  const places = options.placesOf(key.workspaceId);
  const account = await options.accountOf(places);
  // A workspace without a user of its own never gets the platform's while that is root.
  if (options.isRoot && account === null) return null;
  if (!(await options.isRunning(key))) return null;
  const prefix = await commandPrefix(account);
  const variables = shellEnvironment({
    workspaceId: key.workspaceId,
    terminalId,
    home: places.home,
    idleSeconds,
  });
  const { spawn } = await loadPty();
  const [file = "/bin/sh", ...args] = [...prefix, "/bin/sh", "-c", SHELL_SCRIPT];
  const pty = spawn(file, args, {
    name: "xterm-256color",
    cols,
    rows,
    cwd: places.workspace,
    env: { ...variables, ...options.markOf(key) },
    encoding: null,
  });
  return shellOfPty(pty, () => hangUp(prefix, terminalId));
}

/** The library's own `uid` would leave the shell the supplementary groups of the platform's user. */
async function commandPrefix(account: Account | null): Promise<readonly string[]> {
  if (account === null) return [];
  try {
    await access(SETPRIV);
  } catch (cause) {
    throw processFailure("internal", "This machine has no setpriv to start a shell with.", {
      next: "Install util-linux.",
      isRetryable: false,
      cause,
    });
  }
  const { uid, gid } = account;
  return [
    SETPRIV,
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    "--no-new-privs",
    "--bounding-set=-all",
    "--",
  ];
}

/** Loaded when it is first needed: a machine without its prebuilt binary has all but this. */
async function loadPty(): Promise<typeof import("@lydell/node-pty")> {
  try {
    return await import("@lydell/node-pty");
  } catch (cause) {
    throw processFailure("internal", "This machine has no prebuilt pseudoterminal library.", {
      next: "Use Docker, or a platform that @lydell/node-pty is built for.",
      isRetryable: false,
      cause,
    });
  }
}

function shellOfPty(pty: Pty, hangUpAll: () => Promise<void>): Shell {
  let closing: Promise<void> | null = null;
  let isOver = false;
  const ended = new Promise<ShellEnd>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      isOver = true;
      resolve({ kind: "exited", exitCode: signal ? null : exitCode });
    });
  });
  pty.pause();
  return {
    ended,
    async write(data) {
      // Without an encoding the library takes bytes, whatever its type says.
      if (!isOver) pty.write(Buffer.from(data) as unknown as string);
    },
    resize(cols, rows) {
      if (!isOver) pty.resize(cols, rows);
    },
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    onOutput(listener) {
      pty.onData((data) => listener(data as unknown as Buffer));
      pty.resume();
    },
    close() {
      closing ??= closePty(pty, () => isOver, hangUpAll);
      return closing;
    },
  };
}

async function closePty(
  pty: Pty,
  isOver: () => boolean,
  hangUpAll: () => Promise<void>,
): Promise<void> {
  // What waits for somebody to read it could not end.
  pty.resume();
  await hangUpAll();
  if (!isOver()) pty.kill("SIGKILL");
}

async function hangUp(prefix: readonly string[], terminalId: string): Promise<void> {
  const [file = "/bin/sh", ...args] = [
    ...prefix,
    "/bin/sh",
    "-c",
    HANG_UP_SCRIPT,
    "sh",
    terminalId,
  ];
  await promisify(execFile)(file, args, { env: {}, timeout: HANG_UP_MS });
}
