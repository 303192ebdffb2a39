/** Marks everything below a terminal's shell, so that its end finds it. */
export const TERMINAL_MARK = "MOLECULE_TERMINAL";

/** A constant: nothing that a person or an agent chose becomes part of a command. */
export const SHELL_SCRIPT = "if [ -x /bin/bash ]; then exec /bin/bash -i; else exec /bin/sh -i; fi";

/**
 * A script for `sh -c`, with the terminal's id as its first argument: what carries the mark is told to
 * hang up, and is killed a second later. Closing the connection of a shell ends none of its programs.
 */
export const HANG_UP_SCRIPT = `

mine() { grep -lzxF "${TERMINAL_MARK}=$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }
for n in $(mine "$1"); do kill -HUP "$n" 2>/dev/null; kill -CONT "$n" 2>/dev/null; done
for i in 1 2 3 4 5; do [ -z "$(mine "$1")" ] && exit 0; sleep 0.2; done
for n in $(mine "$1"); do kill -KILL "$n" 2>/dev/null; done
true`;

/** Where a shell looks for programs. */
export const SHELL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The environment of every shell: nothing of the platform's, and no secret of the workspace's. */
export function shellEnvironment(of: {
  readonly workspaceId: string;
  readonly terminalId: string;
  readonly home: string;
  readonly idleSeconds: number;
}): Readonly<Record<string, string>> {
  return {
    PATH: SHELL_PATH,
    HOME: of.home,
    USER: "agent",
    SHELL: "/bin/bash",
    TERM: "xterm-256color",
    COLORTERM: "truecolor",
    LANG: "C.UTF-8",
    WORKSPACE_ID: of.workspaceId,
    TMOUT: String(of.idleSeconds),
    [TERMINAL_MARK]: of.terminalId,
  };
}
