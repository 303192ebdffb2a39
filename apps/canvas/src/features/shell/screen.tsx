"use client";
import { Suspense, useEffect, useRef } from "react";
import { type CanvasHandle, CanvasHandleContext } from "../graph/canvas-handle.ts";
import { useRoute } from "../location/use-route.ts";
import { useConnection, useRetryNow } from "../session/connection.tsx";
import { useNodes } from "../store/node-store.tsx";
import { useUi } from "../store/ui-store.tsx";
import { useSystemTheme } from "../theme/theme.ts";
import { DockedPanel, PanelDivider, PanelPage, panelContent } from "./docked-panel.tsx";
import { SignedOut, Unavailable } from "./full-screens.tsx";
import { PartBoundary } from "./part.tsx";
import { fetchAllParts, PARTS } from "./parts.ts";
import { StatusAnnouncer } from "./status-announcer.tsx";
import { TopBar } from "./top-bar.tsx";
import { useIsWide } from "./use-is-wide.ts";

const { View: Canvas } = PARTS.canvas;
const { View: EmptyCanvas } = PARTS.emptyCanvas;
const { View: PhoneHome } = PARTS.phoneHome;
const { View: Rail } = PARTS.rail;
const { View: Shortcuts } = PARTS.shortcuts;
const { View: CardMenu } = PARTS.cardMenu;
const { View: CommandMenu } = PARTS.commandMenu;
const { View: CheatSheet } = PARTS.cheatSheet;
const { View: CreateSheet } = PARTS.createSheet;
const { View: TeamSheet } = PARTS.teamSheet;
const { View: DropZone } = PARTS.dropZone;
const { View: SettingsSheet } = PARTS.settingsSheet;
const { View: DeleteDialog } = PARTS.deleteDialog;
const { View: ConnectDialog } = PARTS.connectDialog;
const { View: RotateDialog } = PARTS.rotateDialog;
const { View: TerminalDrawer } = PARTS.terminal;

/** Quiet after the first draw before everything else is fetched. */
const FETCH_ALL_AFTER_MS = 1_500;
/** From here on there is room for canvas and panel side by side. Source: canvas brief §12. */
const WIDE_FROM_PX = 768;

/** What the page shows for its address and connection. */
export function Screen() {
  const connection = useConnection();
  const retryNow = useRetryNow();
  const canvas = useRef<CanvasHandle | null>(null);
  useSystemTheme();
  if (connection.kind === "signed-out") return <SignedOut />;
  if (connection.kind === "unavailable") {
    return <Unavailable problem={connection.problem} onRetry={retryNow} />;
  }
  return (
    <CanvasHandleContext value={canvas}>
      <Shell isReady={connection.kind === "ready"} />
    </CanvasHandleContext>
  );
}

function Shell({ isReady }: { isReady: boolean }) {
  const isWide = useIsWide(WIDE_FROM_PX) ?? true;
  useEffect(() => {
    if (!isReady) return;
    const timer = setTimeout(fetchAllParts, FETCH_ALL_AFTER_MS);
    return () => clearTimeout(timer);
  }, [isReady]);
  return (
    <div className="flex h-dvh flex-col">
      <PartBoundary>
        <Page isWide={isWide} isReady={isReady} />
      </PartBoundary>
      <PartBoundary>
        <Drawer />
      </PartBoundary>
      <PartBoundary>
        <Layers />
      </PartBoundary>
      <StatusAnnouncer />
    </div>
  );
}

function Page({ isWide, isReady }: { isWide: boolean; isReady: boolean }) {
  const route = useRoute();
  const isRailOpen = useUi((state) => state.isRailOpen);
  const isEmpty = useNodes((state) => Object.keys(state.byId).length === 0);
  const open = panelContent(route);
  if (!isWide && open !== null) return <PanelPage content={open} />;
  return (
    <>
      <TopBar isWide={isWide} />
      <div className="flex min-h-0 flex-1">
        {isWide && isRailOpen && !(isReady && isEmpty) ? (
          <Suspense fallback={<div className="w-60 shrink-0 border-r bg-card" />}>
            <Rail />
          </Suspense>
        ) : null}
        <main className="relative min-w-0 flex-1 bg-page">
          {isReady && isEmpty ? null : <h1 className="sr-only">Agents</h1>}
          <Main isWide={isWide} isReady={isReady} isEmpty={isEmpty} />
          {isWide && open !== null ? <PanelDivider /> : null}
        </main>
        {isWide && open !== null ? <DockedPanel content={open} /> : null}
      </div>
    </>
  );
}

function Main({
  isWide,
  isReady,
  isEmpty,
}: {
  isWide: boolean;
  isReady: boolean;
  isEmpty: boolean;
}) {
  // Asked for beside the snapshot and not after it: this is what most pages show.
  useEffect(() => {
    if (isWide) PARTS.canvas.fetchNow();
  }, [isWide]);
  if (!isReady) return null;
  const home = isWide ? <Canvas /> : <PhoneHome />;
  return <Suspense fallback={null}>{isEmpty ? <EmptyCanvas /> : home}</Suspense>;
}

/** What lies below the page and stays while another agent is looked at. */
function Drawer() {
  const isOpen = useUi((state) => state.terminalOf !== null);
  return <Suspense fallback={null}>{isOpen ? <TerminalDrawer /> : null}</Suspense>;
}

/** Everything that lies above the page; each part is fetched when it is first needed. */
function Layers() {
  const route = useRoute();
  const layer = useUi((state) => state.layer);
  const hasMenu = useUi((state) => state.menu !== null);
  const isRemoving = useUi((state) => state.removingId !== null);
  const isConnecting = useUi((state) => state.connecting !== null);
  const isRotating = useUi((state) => state.rotatingId !== null);
  return (
    <Suspense fallback={null}>
      <Shortcuts />
      {layer === "commands" ? <CommandMenu /> : null}
      {layer === "cheat-sheet" ? <CheatSheet /> : null}
      {route.kind === "new" ? <CreateSheet route={route} /> : null}
      {route.kind === "import" ? <TeamSheet route={route} /> : null}
      <DropZone />
      {route.kind === "settings" ? <SettingsSheet /> : null}
      {isRemoving ? <DeleteDialog /> : null}
      {isConnecting ? <ConnectDialog /> : null}
      {isRotating ? <RotateDialog /> : null}
      {hasMenu ? <CardMenu /> : null}
    </Suspense>
  );
}
