"use client";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { type RefObject, useEffect, useEffectEvent, useRef, useState } from "react";
import { useTRPCClient } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { TerminalConnection, type TerminalState } from "./terminal-connection.ts";

/** What the terminal of a drawer can be told. */
export interface TerminalHandle {
  readonly state: TerminalState;
  /** Again, to the shell that was there if it still is. */
  readonly connect: () => void;
  /** Ends the shell for everybody. */
  readonly end: () => void;
}

const MAX_SCROLLBACK_LINES = 10_000;
const FOCUS_AGAIN_MS = 250;

/**
 * Draws a terminal into `place` and connects it: to the newest living one of the workspace, else to a new
 * one. Keys belong to the shell, but for Ctrl+` (which calls `onLeave`) and Ctrl+Shift+C (copies).
 */
export function useTerminal(
  place: RefObject<HTMLDivElement | null>,
  workspaceId: string,
  onLeave: () => void,
): TerminalHandle {
  const client = useTRPCClient();
  const [state, setState] = useState<TerminalState>({ kind: "connecting", stage: "authorising" });
  const running = useRef<{ connect: () => void; end: () => void } | null>(null);
  const leave = useEffectEvent(onLeave);

  useEffect(() => {
    const host = place.current;
    if (host === null) return;
    const fit = new FitAddon();
    const terminal = new Terminal({
      scrollback: MAX_SCROLLBACK_LINES,
      fontFamily: getComputedStyle(host).fontFamily,
      fontSize: 13,
      theme: themeOf(),
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      screenReaderMode: true,
    });
    terminal.loadAddon(fit);
    terminal.open(host);
    const wanted = () => fit.proposeDimensions() ?? { cols: 80, rows: 24 };
    let connection: TerminalConnection | null = null;
    let isGone = false;
    let isOpen = false;

    const begin = async () => {
      // Without the list a new one is opened; what is in the way is told by that.
      const known = await client.terminal.list.query({ workspaceId }).catch(() => null);
      if (isGone) return;
      const session = known?.terminals.at(-1)?.session ?? null;
      connection = new TerminalConnection(
        {
          ticket: async () => (await client.terminal.ticket.mutate({ workspaceId })).ticket,
          open: (path, protocols) => new WebSocket(new URL(path, window.location.href), protocols),
          onState: (next) => {
            setState(next);
            if (next.kind === "ended") isOpen = false;
            if (next.kind !== "open" || isOpen) return;
            isOpen = true;
            // The menu it was opened from gives the focus back to its button a moment later.
            terminal.focus();
            setTimeout(() => terminal.focus(), FOCUS_AGAIN_MS);
          },
          onOutput: (data) => terminal.write(data),
          onSize: ({ cols, rows }) => terminal.resize(cols, rows),
          onReset: () => terminal.reset(),
          explain: (error) => {
            const { sentence, next } = readProblem(error);
            return { sentence, next: next ?? "Try again." };
          },
        },
        workspaceId,
        session,
      );
      void connection.connect(wanted());
    };
    void begin();
    running.current = {
      connect: () => void connection?.connect(wanted()),
      end: () => connection?.order({ kind: "close" }),
    };

    terminal.onData((text) => connection?.type(new TextEncoder().encode(text)));
    terminal.onBinary((text) =>
      connection?.type(Uint8Array.from(text, (one) => one.charCodeAt(0))),
    );
    terminal.attachCustomKeyEventHandler((event) => {
      if (!event.ctrlKey || event.type !== "keydown") return true;
      if (event.key === "`") {
        event.preventDefault();
        event.stopPropagation();
        leave();
        return false;
      }
      if (event.shiftKey && event.key.toLowerCase() === "c" && terminal.hasSelection()) {
        event.preventDefault();
        void navigator.clipboard.writeText(terminal.getSelection());
        return false;
      }
      return true;
    });
    const resized = new ResizeObserver(() => connection?.order({ kind: "resize", ...wanted() }));
    resized.observe(host);
    const themed = new MutationObserver(() => {
      terminal.options.theme = themeOf();
    });
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      isGone = true;
      running.current = null;
      resized.disconnect();
      themed.disconnect();
      connection?.stop();
      terminal.dispose();
    };
  }, [client, place, workspaceId]);

  return {
    state,
    connect: () => running.current?.connect(),
    end: () => running.current?.end(),
  };
}

/** The page's own colours; those that programs choose stay the terminal's. */
function themeOf() {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    background: token("--card"),
    foreground: token("--ink"),
    cursor: token("--ink"),
    cursorAccent: token("--card"),
    selectionBackground: token("--tint"),
  };
}
