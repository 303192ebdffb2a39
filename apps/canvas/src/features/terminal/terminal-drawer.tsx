"use client";
import "@xterm/xterm/css/xterm.css";
import type { TerminalStage } from "@molecule/domain/terminal";
import { RotateCw, SquareTerminal, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { Button, IconButton } from "../../ui/button.tsx";
import { useNode } from "../store/node-store.tsx";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import type { TerminalState } from "./terminal-connection.ts";
import { useTerminal } from "./use-terminal.ts";

const STAGES: Readonly<Record<TerminalStage, string>> = {
  authorising: "Connecting: authorising…",
  reaching: "Connecting: reaching host…",
  opening: "Connecting: opening shell…",
};

/** The shell of one agent, below everything else. Closing it leaves the shell; Ctrl+` leaves the keys. */
export function TerminalDrawer() {
  const workspaceId = useUi((state) => state.terminalOf);
  return workspaceId === null ? null : <Drawer key={workspaceId} workspaceId={workspaceId} />;
}

function Drawer({ workspaceId }: { workspaceId: string }) {
  const ui = useUiStore();
  const node = useNode(workspaceId);
  const place = useRef<HTMLDivElement>(null);
  const close = useRef<HTMLButtonElement>(null);
  const before = useRef<Element | null>(null);
  const { state, connect, end } = useTerminal(place, workspaceId, () => close.current?.focus());
  useEffect(() => {
    before.current = document.activeElement;
    return () => {
      if (before.current instanceof HTMLElement) before.current.focus();
    };
  }, []);
  return (
    <section
      aria-label={`Terminal of ${node?.name ?? "an agent"}`}
      className="flex h-[38dvh] min-h-56 shrink-0 flex-col border-t bg-card max-md:h-[60dvh]"
    >
      <header className="flex h-10 shrink-0 items-center gap-2 border-b px-3">
        <SquareTerminal size={14} aria-hidden="true" className="shrink-0 text-muted" />
        <h2 className="truncate text-sm font-medium text-ink">{node?.name ?? "Terminal"}</h2>
        <p role="status" className="min-w-0 truncate text-xs text-muted">
          {statusOf(state)}
        </p>
        <span className="ml-auto shrink-0 text-xs text-muted max-md:hidden">
          Ctrl+` leaves the shell · Ctrl+Shift+C copies
        </span>
        {state.kind === "open" ? (
          <Button variant="ghost" size="sm" onClick={end}>
            End shell
          </Button>
        ) : null}
        <IconButton
          ref={close}
          label="Close terminal"
          size="sm"
          onClick={() => ui.setState({ terminalOf: null })}
        >
          <X size={14} aria-hidden="true" />
        </IconButton>
      </header>
      {state.kind === "ended" ? (
        <div
          role="alert"
          className="flex flex-wrap items-center gap-3 border-b bg-raised px-3 py-2"
        >
          <p className="min-w-0 flex-1 text-sm text-ink">
            {state.sentence} <span className="text-muted">{state.next}</span>
          </p>
          <Button size="sm" icon={<RotateCw size={12} aria-hidden="true" />} onClick={connect}>
            {state.comesBack ? "Reconnect" : "Connect again"}
          </Button>
        </div>
      ) : null}
      <div ref={place} className="min-h-0 flex-1 overflow-hidden px-3 py-2 font-mono" />
    </section>
  );
}

function statusOf(state: TerminalState): string {
  if (state.kind === "connecting") return STAGES[state.stage];
  if (state.kind === "ended") return "Not connected";
  if (state.warning !== null) return state.warning;
  return state.viewers === 1 ? "Connected" : `Connected · ${state.viewers} are looking`;
}
