"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { useCallback } from "react";
import { useCanvasHandle } from "../graph/canvas-handle.ts";
import { currentRoute } from "../location/use-route.ts";
import { useNodeStore } from "../store/node-store.tsx";
import { useUiStore } from "../store/ui-store.tsx";
import { setTheme, useTheme } from "../theme/theme.ts";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import type { CommandContext } from "./commands.ts";
import { requestComposerFocus } from "./composer-focus.ts";

/** Makes the context of a command at the moment it runs. Without an id it is about what is open or selected. */
export function useCommandContext(): (nodeId?: string) => CommandContext {
  const actions = useWorkspaceActions();
  const nodes = useNodeStore();
  const ui = useUiStore();
  const canvas = useCanvasHandle();
  const theme = useTheme();
  return useCallback(
    (nodeId) => {
      const route = currentRoute();
      const { byId } = nodes.getState();
      const id =
        nodeId ?? (route.kind === "workspace" ? route.workspaceId : ui.getState().selectedId);
      const node: WorkspaceNode | null = id === null ? null : (byId[id] ?? null);
      return {
        actions,
        node,
        route,
        theme,
        setTheme,
        showLayer: (layer) => ui.setState({ layer }),
        showFilter: () => ui.setState({ isFilterOpen: true, isRailOpen: true }),
        fitAll: () => canvas.current?.fitAll(),
        openNeighbour: (step) => {
          const order = canvas.current?.order() ?? Object.keys(byId);
          if (order.length === 0) return;
          const at = node === null ? (step === 1 ? -1 : 0) : order.indexOf(node.id);
          const next = order[(at + step + order.length) % order.length];
          if (next !== undefined) actions.open(next);
        },
        focusComposer: requestComposerFocus,
      };
    },
    [actions, nodes, ui, canvas, theme],
  );
}
