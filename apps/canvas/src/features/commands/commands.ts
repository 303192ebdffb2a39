import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import {
  ArrowLeft,
  ChevronLeft,
  ChevronRight,
  Download,
  FolderInput,
  Keyboard,
  KeyRound,
  type LucideIcon,
  Maximize,
  MessageSquare,
  MonitorCog,
  Moon,
  OctagonX,
  PanelRight,
  PanelRightClose,
  Pause,
  Pencil,
  Play,
  Plug,
  Plus,
  RotateCw,
  Search,
  Sun,
  Trash2,
  UserPlus,
  Zap,
} from "lucide-react";
import { PANEL_TABS, type Route } from "../location/route.ts";
import { isRetrying } from "../status/card-line.ts";
import type { Theme } from "../theme/theme.ts";
import type { WorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";

/** What a command may look at and do. */
export interface CommandContext {
  readonly actions: WorkspaceActions;
  /** The workspace that is open or selected, if any. */
  readonly node: WorkspaceNode | null;
  readonly route: Route;
  readonly theme: Theme;
  readonly setTheme: (theme: Theme) => void;
  readonly showLayer: (layer: "commands" | "cheat-sheet") => void;
  readonly showFilter: () => void;
  readonly fitAll: () => void;
  /** Opens the agent before (-1) or after (1) the present one, in drawing order. */
  readonly openNeighbour: (step: -1 | 1) => void;
  readonly focusComposer: () => void;
}

/** One verb, once; menus, the command menu, keys and the cheat sheet all show it from here. */
export interface Command {
  readonly id: string;
  readonly title: string;
  readonly icon: LucideIcon;
  /** `workspace` commands are about `context.node` and appear in its menu. */
  readonly section: "workspace" | "panel" | "canvas" | "view";
  /** As shown; `null` is a command without a key. A single character or `Mod+…`, `Shift+…`. */
  readonly keys: string | null;
  readonly isDanger?: boolean;
  readonly isShown: (context: CommandContext) => boolean;
  readonly run: (context: CommandContext) => void;
}

const withNode = (test: (node: WorkspaceNode) => boolean = () => true) => {
  return ({ node }: CommandContext) => node !== null && test(node);
};
const on = (run: (node: WorkspaceNode, context: CommandContext) => void) => {
  return (context: CommandContext) => {
    if (context.node !== null) run(context.node, context);
  };
};
const always = () => true;
const isAsleep = (node: WorkspaceNode) =>
  node.status === "hibernated" || node.status === "hibernating";
const isPaused = (node: WorkspaceNode) => node.status === "paused";
const isStopped = (node: WorkspaceNode) => isPaused(node) || isAsleep(node);
const isOurs = (node: WorkspaceNode) => node.backend !== "external";

const WORKSPACE_COMMANDS: readonly Command[] = [
  {
    id: "open",
    title: "Open",
    icon: PanelRight,
    section: "workspace",
    keys: "Enter",
    isShown: withNode(),
    run: on((node, { actions }) => actions.open(node.id)),
  },
  {
    id: "message",
    title: "Message",
    icon: MessageSquare,
    section: "workspace",
    keys: "M",
    isShown: withNode(),
    run: on((node, { actions, focusComposer }) => {
      actions.open(node.id, "chat");
      focusComposer();
    }),
  },
  {
    id: "rename",
    title: "Rename",
    icon: Pencil,
    section: "workspace",
    keys: "F2",
    isShown: withNode(),
    run: on((node, { actions }) => actions.startRename(node.id)),
  },
  {
    id: "add-under",
    title: "Add agent under this",
    icon: UserPlus,
    section: "workspace",
    keys: null,
    isShown: withNode(),
    run: on((node, { actions }) => actions.addUnder(node.id)),
  },
  {
    id: "import-under",
    title: "Import a team under this…",
    icon: FolderInput,
    section: "workspace",
    keys: null,
    isShown: withNode(),
    run: on((node, { actions }) => actions.importTeam(node.id)),
  },
  {
    id: "export-tree",
    title: "Export",
    icon: Download,
    section: "workspace",
    keys: null,
    isShown: withNode(),
    run: on((node, { actions }) => void actions.exportTree(node.id)),
  },
  {
    id: "restart",
    title: "Restart",
    icon: RotateCw,
    section: "workspace",
    keys: "R",
    // An agent that runs elsewhere is not restarted: the answer explains what to do instead.
    isShown: withNode((node) => !isStopped(node)),
    run: on((node, { actions }) => void actions.restart(node.id)),
  },
  {
    id: "connection",
    title: "How it connects",
    icon: Plug,
    section: "workspace",
    keys: null,
    isShown: withNode((node) => !isOurs(node)),
    run: on((node, { actions }) => actions.showConnection(node.id)),
  },
  {
    id: "rotate-token",
    title: "Rotate token…",
    icon: KeyRound,
    section: "workspace",
    keys: null,
    isShown: withNode((node) => !isOurs(node)),
    run: on((node, { actions }) => actions.askRotate(node.id)),
  },
  {
    id: "apply-now",
    title: "Apply changes now",
    icon: Zap,
    section: "workspace",
    keys: null,
    isShown: withNode((node) => node.pending !== null),
    run: on((node, { actions }) => void actions.applyNow(node.id)),
  },
  {
    id: "stop-trying",
    title: "Stop trying",
    icon: OctagonX,
    section: "workspace",
    keys: null,
    isShown: withNode(isRetrying),
    run: on((node, { actions }) => void actions.stopTrying(node.id)),
  },
  {
    id: "pause",
    title: "Pause",
    icon: Pause,
    section: "workspace",
    keys: null,
    isShown: withNode((node) => isOurs(node) && !isStopped(node)),
    run: on((node, { actions }) => void actions.pause(node.id)),
  },
  {
    id: "hibernate",
    title: "Sleep until a message",
    icon: Moon,
    section: "workspace",
    keys: null,
    isShown: withNode(
      (node) => isOurs(node) && (node.status === "online" || node.status === "degraded"),
    ),
    run: on((node, { actions }) => void actions.hibernate(node.id)),
  },
  {
    id: "wake",
    title: "Wake",
    icon: Play,
    section: "workspace",
    keys: null,
    isShown: withNode(isAsleep),
    run: on((node, { actions }) => void actions.resume(node.id)),
  },
  {
    id: "resume",
    title: "Resume",
    icon: Play,
    section: "workspace",
    keys: null,
    isShown: withNode(isPaused),
    run: on((node, { actions }) => void actions.resume(node.id)),
  },
  {
    id: "delete",
    title: "Delete…",
    icon: Trash2,
    section: "workspace",
    keys: null,
    isDanger: true,
    isShown: withNode(),
    run: on((node, { actions }) => actions.askRemove(node.id)),
  },
];

const TAB_TITLES = {
  chat: "Chat",
  activity: "Activity",
  overview: "Overview",
  files: "Files",
  configure: "Configure",
};

const PANEL_COMMANDS: readonly Command[] = [
  ...PANEL_TABS.map(
    (tab, index): Command => ({
      id: `tab-${tab}`,
      title: `Show ${TAB_TITLES[tab]}`,
      icon: PanelRight,
      section: "panel",
      keys: String(index + 1),
      isShown: withNode(),
      run: on((node, { actions }) => actions.open(node.id, tab)),
    }),
  ),
  {
    id: "previous-agent",
    title: "Previous agent",
    icon: ChevronLeft,
    section: "panel",
    keys: "[",
    isShown: always,
    run: ({ openNeighbour }) => openNeighbour(-1),
  },
  {
    id: "next-agent",
    title: "Next agent",
    icon: ChevronRight,
    section: "panel",
    keys: "]",
    isShown: always,
    run: ({ openNeighbour }) => openNeighbour(1),
  },
  {
    id: "toggle-panel",
    title: "Show or hide the panel",
    icon: PanelRightClose,
    section: "panel",
    keys: "Mod+\\",
    isShown: ({ route, node }) => route.kind === "workspace" || node !== null,
    run: ({ route, node, actions }) => {
      if (route.kind === "workspace") actions.closePanel();
      else if (node !== null) actions.open(node.id);
    },
  },
];

const CANVAS_COMMANDS: readonly Command[] = [
  {
    id: "create",
    title: "Create an agent",
    icon: Plus,
    section: "canvas",
    keys: "C",
    isShown: always,
    run: ({ actions }) => actions.addUnder(null),
  },
  {
    id: "import-team",
    title: "Import a team…",
    icon: FolderInput,
    section: "canvas",
    keys: null,
    isShown: always,
    run: ({ actions }) => actions.importTeam(null),
  },
  {
    id: "export-all",
    title: "Export everything",
    icon: Download,
    section: "canvas",
    keys: null,
    isShown: always,
    run: ({ actions }) => void actions.exportTree(null),
  },
  {
    id: "filter",
    title: "Filter the canvas",
    icon: Search,
    section: "canvas",
    keys: "/",
    isShown: always,
    run: ({ showFilter }) => showFilter(),
  },
  {
    id: "fit",
    title: "Show everything",
    icon: Maximize,
    section: "canvas",
    keys: "Shift+1",
    isShown: always,
    run: ({ fitAll }) => fitAll(),
  },
  {
    id: "leave-team",
    title: "Leave the team",
    icon: ArrowLeft,
    section: "canvas",
    keys: null,
    isShown: ({ route }) => route.kind === "team",
    run: ({ actions }) => actions.leaveTeam(),
  },
];

const VIEW_COMMANDS: readonly Command[] = [
  {
    id: "organisation-secrets",
    title: "Organisation secrets",
    icon: KeyRound,
    section: "view",
    keys: null,
    isShown: always,
    run: ({ actions }) => actions.showSettings(),
  },
  {
    id: "commands",
    title: "Search and run",
    icon: Search,
    section: "view",
    keys: "Mod+K",
    isShown: always,
    run: ({ showLayer }) => showLayer("commands"),
  },
  {
    id: "theme-light",
    title: "Light theme",
    icon: Sun,
    section: "view",
    keys: null,
    isShown: ({ theme }) => theme !== "light",
    run: ({ setTheme }) => setTheme("light"),
  },
  {
    id: "theme-dark",
    title: "Dark theme",
    icon: Moon,
    section: "view",
    keys: null,
    isShown: ({ theme }) => theme !== "dark",
    run: ({ setTheme }) => setTheme("dark"),
  },
  {
    id: "theme-system",
    title: "Theme of the device",
    icon: MonitorCog,
    section: "view",
    keys: null,
    isShown: ({ theme }) => theme !== "system",
    run: ({ setTheme }) => setTheme("system"),
  },
  {
    id: "cheat-sheet",
    title: "Keyboard shortcuts",
    icon: Keyboard,
    section: "view",
    keys: "?",
    isShown: always,
    run: ({ showLayer }) => showLayer("cheat-sheet"),
  },
];

/** Every command, in the order of menus. */
export const COMMANDS: readonly Command[] = [
  ...WORKSPACE_COMMANDS,
  ...PANEL_COMMANDS,
  ...CANVAS_COMMANDS,
  ...VIEW_COMMANDS,
];
