"use client";
import { useEffect, useEffectEvent } from "react";
import { useCanvasHandle } from "../graph/canvas-handle.ts";
import type { Direction } from "../graph/model/nearest.ts";
import { useNodeStore } from "../store/node-store.tsx";
import { useUiStore } from "../store/ui-store.tsx";
import { COMMANDS } from "./commands.ts";
import { type FocusKind, isPress, mayAct } from "./shortcut-match.ts";
import { useCommandContext } from "./use-command-context.ts";

const ARROWS: Readonly<Record<string, Direction>> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};
const LAYERS = '[role="dialog"],[role="alertdialog"],[role="menu"],[role="listbox"],[role="tree"]';

/** Listens for the keys of the page while it is mounted. Whatever has the focus keeps its own keys. */
export function Shortcuts(): null {
  const contextOf = useCommandContext();
  const canvas = useCanvasHandle();
  const ui = useUiStore();
  const nodes = useNodeStore();

  const runCommand = (event: KeyboardEvent, focus: FocusKind): boolean => {
    const card = focusedCard();
    const context = contextOf(card ?? undefined);
    const command = COMMANDS.find(
      ({ keys, isShown }) =>
        keys !== null && mayAct(keys, focus) && isPress(event, keys) && isShown(context),
    );
    command?.run(context);
    return command !== undefined;
  };
  const moveFocus = (event: KeyboardEvent, focus: FocusKind): boolean => {
    const direction = ARROWS[event.key];
    if (direction === undefined || (focus !== "card" && focus !== "page")) return false;
    const from = focusedCard() ?? ui.getState().selectedId ?? Object.keys(nodes.getState().byId)[0];
    if (from === undefined) return false;
    const isKnown = focusedCard() !== null;
    const to = isKnown ? canvas.current?.nearest(from, direction) : from;
    if (to === null || to === undefined) return false;
    ui.setState({ selectedId: to });
    canvas.current?.reveal(to);
    focusCard(to);
    return true;
  };
  const goBack = (focus: FocusKind): boolean => {
    if (focus === "layer" || focus === "text") return false;
    const { actions, route } = contextOf();
    if (ui.getState().filter !== "" || ui.getState().isFilterOpen) {
      ui.setState({ filter: "", isFilterOpen: false });
    } else if (route.kind === "workspace") {
      actions.closePanel();
      focusCard(route.workspaceId);
    } else if (route.kind === "team") actions.leaveTeam();
    else return false;
    return true;
  };

  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const focus = focusKind(event.target);
    const isDone =
      (event.key === "Escape" && goBack(focus)) ||
      moveFocus(event, focus) ||
      runCommand(event, focus);
    if (isDone) event.preventDefault();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);
  return null;
}

function focusedCard(): string | null {
  const focused = document.activeElement;
  return focused instanceof HTMLElement ? (focused.dataset.cardId ?? null) : null;
}

/** Puts the focus on a card, also one that the camera is only just bringing into the document. */
function focusCard(id: string): void {
  const find = () => document.querySelector<HTMLElement>(`[data-card-id="${CSS.escape(id)}"]`);
  const now = find();
  if (now !== null) now.focus({ preventScroll: true });
  else setTimeout(() => find()?.focus({ preventScroll: true }), 300);
}

function focusKind(target: EventTarget | null): FocusKind {
  if (!(target instanceof HTMLElement) || target === document.body) return "page";
  if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return "text";
  if (target.closest(LAYERS) !== null) return "layer";
  if (target.dataset.cardId !== undefined) return "card";
  if (target.closest("button,a,summary,[role=tab],[role=button]") !== null) return "control";
  return "page";
}
