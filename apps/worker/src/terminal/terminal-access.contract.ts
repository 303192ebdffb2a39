import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { InstanceKey, Shell, TerminalAccess } from "../provisioning/compute-backend.ts";

/** A running instance whose shells are tried. */
export interface TerminalBed {
  readonly access: TerminalAccess;
  readonly running: InstanceKey;
  /** Text that a shell must not be able to print: what belongs to the platform or is a secret. */
  readonly secrets: readonly string[];
  /** The uid that shells have. */
  readonly uid: number;
  close(): Promise<void>;
}

let count = 0;

const waitUntil = (_what: string, probe: () => boolean | Promise<boolean>) =>
  vi.waitUntil(probe, { timeout: 25_000, interval: 20 });

/** What every backend's shells hold. */
export function terminalAccessContract(name: string, openBed: () => Promise<TerminalBed>): void {
  describe(`shells of the ${name} backend`, () => {
    let bed: TerminalBed;
    beforeAll(async () => {
      bed = await openBed();
    }, 240_000);
    afterAll(() => bed.close(), 60_000);

    const open = async (key = bed.running) => {
      count += 1;
      const request = { key, terminalId: `t.${count}`, cols: 91, rows: 33, idleSeconds: 600 };
      const shell = await bed.access.openShell(request, AbortSignal.timeout(30_000));
      return shell === null ? null : listening(shell);
    };
    const opened = async () => {
      const found = await open();
      if (found === null) throw new Error("invariant: it runs");
      return found;
    };

    it("have a pseudoterminal of the asked size, follow a new one, and end with their code", async () => {
      const { shell, type, seen } = await opened();
      await type("stty size; tty >/dev/null && echo a-$((40+2))");
      await waitUntil("the size is told", () => seen().includes("33 91"));
      await waitUntil("it is a terminal", () => seen().includes("a-42"));
      shell.resize(70, 20);
      await waitUntil("the size has changed", async () => {
        await type("stty size");
        return seen().includes("20 70");
      });
      await type("exit 7");
      expect(await shell.ended).toEqual({ kind: "exited", exitCode: 7 });
      await shell.close();
      await shell.write(Buffer.from("too late"));
    }, 60_000);

    it("run as the agent's own user, in its folder, with nothing of the platform's in their variables", async () => {
      const { shell, type, seen } = await opened();
      await type("echo uid=$(id -u) groups=[$(id -G)] root=$(test -w /etc && echo yes || echo no)");
      await waitUntil("it is told", () => /uid=\d+ /.test(seen()));
      const isSelf = bed.uid === process.getuid?.();
      expect(seen()).toContain(`uid=${bed.uid} groups=[${isSelf ? "" : bed.uid}`);
      if (bed.uid !== 0) expect(seen()).toContain("root=no");
      await type("env | sort; echo all-$((1+1))");
      await waitUntil("all are told", () => seen().includes("all-2"));
      for (const secret of bed.secrets) expect(seen()).not.toContain(secret);
      expect(seen()).toContain(`WORKSPACE_ID=${bed.running.workspaceId}`);
      await type("touch mine && ls -l mine && echo made-$((1+2))");
      await waitUntil("it may write in its folder", () => seen().includes("made-3"));
      await shell.close();
    }, 60_000);

    it("pass on a control character and whatever bytes there are", async () => {
      const { shell, type, seen, raw } = await opened();
      await type("echo go-$((1+1)); sleep 600; echo not-$((1+1)) ended");
      await waitUntil("it sleeps", () => seen().includes("go-2"));
      // The terminal throws away what was typed before the interruption, and shows that it has come.
      await shell.write(Buffer.from("\x03"));
      await waitUntil("it is interrupted", () => seen().includes("^C"));
      await waitUntil("it listens again", async () => {
        await type("echo back-$((3+3))");
        return seen().includes("back-6");
      });
      await type("printf '\\000\\377\\303\\251'; echo done-$((4+4))");
      await waitUntil("it goes on", () => seen().includes("done-8"));
      expect(seen()).not.toContain("not-2");
      expect(raw().includes(Buffer.from([0, 255, 0xc3, 0xa9]))).toBe(true);
      await shell.close();
    }, 60_000);

    it("wait while they are paused", async () => {
      const { shell, type, raw } = await opened();
      await type("stty -echo; echo start-$((1+1))");
      await waitUntil("it is quiet", () => raw().includes("start-2"));
      shell.pause();
      await type("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end-$((2+2))");
      const before = raw().length;
      shell.resume();
      await waitUntil("everything came", () => raw().includes("end-4"));
      expect(raw().length - before).toBeGreaterThan(3_000_000);
      await shell.close();
    }, 60_000);

    it("end with everything they left running", async () => {
      const { shell, type, seen } = await opened();
      await type("trap '' HUP; (trap '' HUP; sleep 4242) & nohup sleep 4343 >/dev/null 2>&1 &");
      await type("sleep 0.2; pgrep -f 'sleep 4[23]4[23]' | wc -l; echo counted-$((1+1))");
      await waitUntil("they run", () => seen().includes("counted-2"));
      await shell.close();
      const witness = await opened();
      await waitUntil("none is left", async () => {
        const asked = witness.seen().length;
        await witness.type(
          "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null; echo; done | grep -c '^sleep 4[23]4[23]'; echo asked-$((1+1))",
        );
        await waitUntil("it answers", () => witness.seen().slice(asked).includes("asked-2"));
        return /[^0-9]0\s+asked-2/.test(witness.seen().slice(asked));
      });
      await witness.shell.close();
    }, 60_000);

    it("are not opened in an attempt that does not run", async () => {
      expect(await open({ ...bed.running, attemptNo: 99 })).toBeNull();
    });
  });
}

function listening(shell: Shell) {
  const chunks: Buffer[] = [];
  shell.onOutput((data) => chunks.push(data));
  const raw = () => Buffer.concat(chunks);
  return {
    shell,
    raw,
    seen: () => raw().toString("utf8"),
    type: (line: string) => shell.write(Buffer.from(`${line}\r`)),
  };
}
