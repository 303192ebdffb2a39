import type { Duplex } from "node:stream";
import type { Exec } from "dockerode";
import type {
  Shell,
  ShellEnd,
  ShellRequest,
  TerminalAccess,
} from "../../provisioning/compute-backend.ts";
import {
  HANG_UP_SCRIPT,
  SHELL_PATH,
  SHELL_SCRIPT,
  shellEnvironment,
} from "../../terminal/hang-up.ts";
import { shellOfStream } from "../../terminal/stream-shell.ts";
import { AGENT_USER } from "./create-options.ts";
import { hasStatus } from "./engine-error.ts";
import { asPort, type DockerScope, inspectOurs } from "./instance-scope.ts";
import { VOLUME_MOUNTS } from "./names.ts";
import { readAll } from "./streams.ts";
import { closeStream } from "./task-container.ts";

/** It prints nothing. */
const MAX_ANSWER_BYTES = 65_536;

/** Shells in containers, as the agent's own user. */
export function createDockerTerminal(scope: DockerScope): TerminalAccess {
  return {
    isOff: false,
    openShell: (request, signal) =>
      asPort(
        { doing: "open a shell in the container", code: "internal" },
        () => openShell(scope, request, signal),
        signal,
      ),
  };
}

async function openShell(
  scope: DockerScope,
  request: ShellRequest,
  signal: AbortSignal,
): Promise<Shell | null> {
  const info = await inspectOurs(scope, request.key, signal);
  if (info === null || !info.State.Running) return null;
  try {
    return await execShell(scope, request, { id: info.Id, signal });
  } catch (error) {
    // It has ended between the two calls.
    if (hasStatus(error, 404, 409)) return null;
    throw error;
  }
}

async function execShell(
  scope: DockerScope,
  request: ShellRequest,
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
): Promise<Shell> {
  const { exec, stream } = await scope.engine.call(
    "open a shell",
    async (docker, abortSignal) => {
      const made = await docker.getContainer(id).exec({
        Cmd: ["/usr/bin/env", "-i", ...environmentOf(request), "/bin/sh", "-c", SHELL_SCRIPT],
        User: AGENT_USER,
        WorkingDir: VOLUME_MOUNTS.workspace,
        Tty: true,
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        abortSignal,
      });
      // Without the call's signal: the connection outlives the call.
      const opened = (await made.start({ hijack: true, stdin: true, Tty: true })) as Duplex;
      if (abortSignal.aborted) {
        opened.on("error", () => undefined);
        opened.destroy();
      }
      return { exec: made, stream: opened };
    },
    { signal },
  );
  const resize = (cols: number, rows: number) => {
    // A shell that has just ended has no size; nobody sees the difference.
    exec.resize({ w: cols, h: rows }).catch(() => undefined);
  };
  resize(request.cols, request.rows);
  return shellOfStream({
    stream,
    resize,
    readEnd: () => endOf(exec),
    end: () => hangUp(scope, id, request.terminalId),
  });
}

/** The container's own variables are the workspace's secrets: a shell that prints its own shows none. */
function environmentOf({ key, terminalId, idleSeconds }: ShellRequest): readonly string[] {
  const { workspaceId } = key;
  const home = VOLUME_MOUNTS.home;
  const variables = shellEnvironment({ workspaceId, terminalId, home, idleSeconds });
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`);
}

async function endOf(exec: Exec): Promise<ShellEnd> {
  const { Running, ExitCode } = await exec.inspect();
  return Running ? { kind: "lost", exitCode: null } : { kind: "exited", exitCode: ExitCode };
}

async function hangUp(scope: DockerScope, id: string, terminalId: string): Promise<void> {
  try {
    await scope.engine.call("end a shell", async (docker, abortSignal) => {
      const exec = await docker.getContainer(id).exec({
        Cmd: ["/bin/sh", "-c", HANG_UP_SCRIPT, "sh", terminalId],
        User: AGENT_USER,
        WorkingDir: "/",
        Env: [`PATH=${SHELL_PATH}`],
        AttachStdout: true,
        AttachStderr: true,
        abortSignal,
      });
      const stream = await exec.start({ hijack: true, stdin: false, abortSignal });
      abortSignal.addEventListener("abort", () => closeStream(stream), { once: true });
      await readAll(stream, MAX_ANSWER_BYTES);
    });
  } catch (error) {
    if (!hasStatus(error, 404, 409)) throw error;
  }
}
