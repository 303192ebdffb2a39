"use client";
import { ChevronRight, PanelLeft, Plus, Search } from "lucide-react";
import { memo, Suspense } from "react";
import { Button, IconButton } from "../../ui/button.tsx";
import { Keys } from "../../ui/keys.tsx";
import { shownKeys } from "../commands/shown-keys.ts";
import { useIsMac } from "../commands/use-is-mac.ts";
import { scopeOf } from "../location/route.ts";
import { useRoutePart } from "../location/use-route.ts";
import { useNodes } from "../store/node-store.tsx";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { LivePill } from "./live-pill.tsx";
import { Logo } from "./logo.tsx";
import { PARTS } from "./parts.ts";

const { View: AccountMenu } = PARTS.accountMenu;
const { View: ThemeMenu } = PARTS.themeMenu;
const { View: ProblemsMenu } = PARTS.problemsMenu;

/** The bar above everything, 48 px. */
export const TopBar = memo(function TopBar({ isWide }: { isWide: boolean }) {
  const actions = useWorkspaceActions();
  return (
    <header className="relative z-20 flex h-12 shrink-0 items-center gap-2 border-b bg-card px-3 pointer-coarse:h-14">
      <div className="flex min-w-0 flex-1 items-center gap-1">
        {isWide ? <RailToggle /> : null}
        <Home />
        <Scope />
      </div>
      {isWide ? <SearchButton /> : null}
      <div className="flex flex-1 items-center justify-end gap-1">
        <LivePill />
        <Suspense fallback={<Room />}>
          <ProblemsMenu />
        </Suspense>
        {isWide ? (
          <Suspense fallback={<Room />}>
            <ThemeMenu />
          </Suspense>
        ) : (
          <SearchIcon />
        )}
        <Button
          variant="primary"
          size="sm"
          className="mx-1.5 max-md:hidden"
          icon={<Plus size={14} aria-hidden="true" />}
          onClick={() => actions.addUnder(null)}
        >
          New agent
        </Button>
        <Suspense fallback={<Room />}>
          <AccountMenu hasTheme={!isWide} />
        </Suspense>
      </div>
    </header>
  );
});

/** Holds the place of a menu that is still being fetched, so that nothing jumps. */
function Room() {
  return <span className="size-8" />;
}

function RailToggle() {
  const ui = useUiStore();
  const isRailOpen = useUi((state) => state.isRailOpen);
  return (
    <IconButton
      label={isRailOpen ? "Hide the list of agents" : "Show the list of agents"}
      aria-expanded={isRailOpen}
      onClick={() => ui.setState({ isRailOpen: !isRailOpen })}
    >
      <PanelLeft size={16} aria-hidden="true" />
    </IconButton>
  );
}

function Home() {
  const actions = useWorkspaceActions();
  return (
    <button
      type="button"
      className="flex h-8 items-center gap-2 rounded-md px-2 text-sm font-semibold tracking-tight text-ink hover:bg-hover pointer-coarse:h-11"
      onClick={() => actions.leaveTeam()}
    >
      <Logo />
      Molecule
    </button>
  );
}

/** The team that the canvas is limited to. */
function Scope() {
  const teamId = useRoutePart(scopeOf);
  const name = useNodes((state) => (teamId === null ? undefined : state.byId[teamId]?.name));
  if (name === undefined) return null;
  return (
    <span className="flex min-w-0 items-center gap-1 text-sm text-muted">
      <ChevronRight size={14} className="shrink-0" aria-hidden="true" />
      <span className="truncate font-medium text-ink">{name}</span>
    </span>
  );
}

function SearchButton() {
  const ui = useUiStore();
  const isMac = useIsMac();
  return (
    <button
      type="button"
      className="flex h-8 w-[min(360px,30vw)] items-center gap-2 rounded-md border border-line-strong bg-page px-2.5 text-sm text-muted transition-colors duration-[120ms] hover:border-control hover:text-ink"
      onClick={() => ui.setState({ layer: "commands" })}
    >
      <Search size={14} className="shrink-0" aria-hidden="true" />
      <span className="flex-1 truncate text-left">Search or run a command</span>
      <Keys keys={shownKeys("Mod+K", isMac)} />
    </button>
  );
}

function SearchIcon() {
  const ui = useUiStore();
  return (
    <IconButton label="Search or run a command" onClick={() => ui.setState({ layer: "commands" })}>
      <Search size={18} aria-hidden="true" />
    </IconButton>
  );
}
