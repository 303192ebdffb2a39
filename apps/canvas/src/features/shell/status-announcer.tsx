"use client";
import { useEffect, useState } from "react";
import { statusView } from "../status/status-view.ts";
import { useNodeStore } from "../store/node-store.tsx";

/** At most one announcement in this time. Source: canvas brief §12. */
const BATCH_MS = 5_000;
/** More changes than this are counted instead of named. */
const MAX_NAMED = 3;

/** Tells a screen reader which agents changed their state. */
export function StatusAnnouncer() {
  const store = useNodeStore();
  const [text, setText] = useState("");
  useEffect(() => {
    const changed = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const speak = () => {
      const { byId } = store.getState();
      const lines = [...changed].flatMap((id) => {
        const node = byId[id];
        return node === undefined ? [] : [`${node.name} is ${statusView(node).word.toLowerCase()}`];
      });
      changed.clear();
      timer = undefined;
      setText(lines.length > MAX_NAMED ? `${lines.length} agents changed` : lines.join(". "));
    };
    const stop = store.subscribe((state, before) => {
      if (state.byId === before.byId || before.organisation === null) return;
      for (const [id, node] of Object.entries(state.byId)) {
        const old = before.byId[id];
        if (old !== undefined && old !== node && old.status !== node.status) changed.add(id);
      }
      if (changed.size > 0) timer ??= setTimeout(speak, BATCH_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [store]);
  return (
    <p role="status" aria-live="polite" className="sr-only">
      {text}
    </p>
  );
}
