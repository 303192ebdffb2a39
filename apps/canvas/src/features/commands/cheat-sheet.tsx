"use client";
import { Dialog } from "../../ui/dialog.tsx";
import { Keys } from "../../ui/keys.tsx";
import { StatusGlyph } from "../status/status-glyph.tsx";
import type { Tone } from "../status/status-view.ts";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { COMMANDS, type Command } from "./commands.ts";
import { shownKeys } from "./shown-keys.ts";
import { useIsMac } from "./use-is-mac.ts";

const SECTIONS: readonly { section: Command["section"]; title: string }[] = [
  { section: "canvas", title: "Canvas" },
  { section: "workspace", title: "Agent" },
  { section: "panel", title: "Panel" },
  { section: "view", title: "General" },
];
const MOVES = [
  { title: "Nearest agent that way", keys: "← ↑ ↓ →" },
  { title: "Close the top layer", keys: "Esc" },
];
const LEGEND: readonly { tone: Tone; word: string }[] = [
  { tone: "online", word: "Online" },
  { tone: "provisioning", word: "Starting" },
  { tone: "restarting", word: "Restarting" },
  { tone: "degraded", word: "Degraded" },
  { tone: "failed", word: "Failed" },
  { tone: "paused", word: "Paused" },
  { tone: "hibernated", word: "Asleep" },
  { tone: "offline", word: "Offline" },
  { tone: "awaiting", word: "Awaiting agent" },
];

/** All keys and all glyphs on one sheet. */
export function CheatSheet() {
  const ui = useUiStore();
  const isOpen = useUi((state) => state.layer === "cheat-sheet");
  const isMac = useIsMac();
  return (
    <Dialog
      open={isOpen}
      onOpenChange={(open) => ui.setState({ layer: open ? "cheat-sheet" : null })}
      title="Keyboard shortcuts"
      className="max-w-[640px]"
    >
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        {SECTIONS.map(({ section, title }) => (
          <section key={section}>
            <h3 className="mb-1 text-xs font-medium text-muted">{title}</h3>
            <dl>
              {COMMANDS.filter((command) => command.section === section).map(
                ({ id, title: name, keys }) =>
                  keys === null ? null : (
                    <KeyRow key={id} title={name} keys={shownKeys(keys, isMac)} />
                  ),
              )}
              {section === "canvas"
                ? MOVES.map((move) => <KeyRow key={move.keys} {...move} />)
                : null}
            </dl>
          </section>
        ))}
      </div>
      <section className="mt-5 border-t pt-4">
        <h3 className="mb-2 text-xs font-medium text-muted">States</h3>
        <ul className="grid grid-cols-2 gap-x-8 gap-y-1.5 sm:grid-cols-3">
          {LEGEND.map(({ tone, word }) => (
            <li key={tone} className="flex items-center gap-2">
              <StatusGlyph status={{ tone, isBusy: false }} />
              {word}
            </li>
          ))}
        </ul>
      </section>
    </Dialog>
  );
}

function KeyRow({ title, keys }: { title: string; keys: string }) {
  return (
    <div className="flex h-8 items-center justify-between gap-4">
      <dt className="text-ink">{title}</dt>
      <dd>
        <Keys keys={keys} />
        <span className="sr-only">{keys}</span>
      </dd>
    </div>
  );
}
