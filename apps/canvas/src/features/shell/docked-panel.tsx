"use client";
import { type KeyboardEvent, type PointerEvent, Suspense, useRef } from "react";
import type { PanelTab, Route } from "../location/route.ts";
import {
  clampPanelWidth,
  MAX_PANEL_WIDTH,
  MIN_PANEL_WIDTH,
  useUi,
  useUiStore,
} from "../store/ui-store.tsx";
import { PARTS } from "./parts.ts";

const { View: Panel } = PARTS.panel;
const { View: ImportPanel } = PARTS.importPanel;

const KEY_STEP = 16;

/** What the panel shows. */
export type PanelContent =
  | { readonly kind: "workspace"; readonly workspaceId: string; readonly tab: PanelTab }
  | { readonly kind: "import"; readonly importId: string; readonly dir: string | null };

/** What of an address stands in the panel; null for none. */
export function panelContent(route: Route): PanelContent | null {
  if (route.kind === "workspace") return route;
  if (route.kind !== "import" || route.importId === null) return null;
  return { kind: "import", importId: route.importId, dir: route.dir };
}

function Content({ content }: { content: PanelContent }) {
  return (
    <Suspense fallback={null}>
      {content.kind === "workspace" ? (
        <Panel workspaceId={content.workspaceId} tab={content.tab} />
      ) : (
        <ImportPanel key={content.importId} importId={content.importId} dir={content.dir} />
      )}
    </Suspense>
  );
}

/** The panel beside the canvas, which it pushes. Its width is 420 to 720 px. */
export function DockedPanel({ content }: { content: PanelContent }) {
  const width = useUi((state) => state.panelWidth);
  return (
    <div
      className="flex shrink-0 border-l bg-card"
      style={{ width: `min(${width}px, 100vw - 360px)` }}
    >
      <div className="min-w-0 flex-1">
        <Content content={content} />
      </div>
    </div>
  );
}

/** The panel as a page of its own, on a phone. */
export function PanelPage({ content }: { content: PanelContent }) {
  return (
    <main className="min-h-0 flex-1 bg-card">
      <h1 className="sr-only">{content.kind === "workspace" ? "Agent" : "Import"}</h1>
      <Content content={content} />
    </main>
  );
}

/** The right edge of the canvas while a panel is beside it. Resizes the panel with the pointer and with the arrow keys. */
export function PanelDivider() {
  const ui = useUiStore();
  const width = useUi((state) => state.panelWidth);
  const grip = useRef<{ x: number; width: number } | null>(null);
  const resize = (next: number) => ui.setState({ panelWidth: clampPanelWidth(next) });
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    grip.current = { x: event.clientX, width };
  };
  const onPointerMove = (event: PointerEvent) => {
    if (grip.current !== null) resize(grip.current.width + grip.current.x - event.clientX);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowLeft" ? KEY_STEP : event.key === "ArrowRight" ? -KEY_STEP : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    resize(width + step);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a divider that moves is not the hr element
    <div
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label="Width of the panel"
      aria-valuemin={MIN_PANEL_WIDTH}
      aria-valuemax={MAX_PANEL_WIDTH}
      aria-valuenow={width}
      className="absolute inset-y-0 -right-1 z-10 w-2 cursor-col-resize touch-none outline-none after:absolute after:inset-y-0 after:left-1/2 after:w-0.5 after:-translate-x-1/2 after:bg-transparent after:transition-colors after:duration-[120ms] hover:after:bg-focus focus-visible:after:bg-focus"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        grip.current = null;
      }}
      onKeyDown={onKeyDown}
    />
  );
}
