"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { useMemo } from "react";
import { toast } from "sonner";
import { type Client, useTRPCClient } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { PANEL_TABS, type PanelTab, scopeOf } from "../location/route.ts";
import { currentRoute, navigate } from "../location/use-route.ts";
import type { Shape } from "../store/node-state.ts";
import { type NodeStore, useNodeStore } from "../store/node-store.tsx";
import { type UiStore, useUiStore } from "../store/ui-store.tsx";
import { downloadBundle } from "./download-bundle.ts";

/** Everything a person can do to a workspace; menus, keys, cards and the panel share it. */
export interface WorkspaceActions {
  /** Opens the panel; without a tab, the one that is open already, else the chat. */
  open(id: string, tab?: PanelTab): void;
  closePanel(): void;
  enterTeam(id: string): void;
  /** Leaves the team that the canvas is scoped to, or does nothing. */
  leaveTeam(): void;
  /** Turns the card's name into a field. */
  startRename(id: string): void;
  rename(id: string, name: string): Promise<void>;
  /** Also Retry. Of an agent that runs elsewhere it only explains. */
  restart(id: string): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Puts it to sleep until a message comes. */
  hibernate(id: string): Promise<void>;
  /** Brings what is saved to the agent by one restart, now or once its running tasks have ended. */
  applyNow(id: string): Promise<void>;
  /** No further try by itself, until somebody restarts it or saves a change. */
  stopTrying(id: string): Promise<void>;
  /** Opens the dialog that lists what goes with it. */
  askRemove(id: string): void;
  /** Opens how an agent that runs elsewhere connects. */
  showConnection(id: string): void;
  /** Opens the dialog that says what replacing its token does. */
  askRotate(id: string): void;
  showSettings(): void;
  addUnder(parentId: string | null): void;
  /** Opens the choice of a team to import, below a workspace or on its own. */
  importTeam(parentId: string | null): void;
  /** Downloads a workspace with everything below it, without secrets; null: the whole organisation. */
  exportTree(id: string | null): Promise<void>;
  /** Moves one card, maybe into another team; can be undone. */
  move(to: Shape, options: { undo: Shape | null; message: string | null }): Promise<void>;
  /** Saves where cards stand, without changing teams. */
  place(shapes: readonly Shape[]): Promise<void>;
}

/** The actions, with the same identity for the life of the page. */
export function useWorkspaceActions(): WorkspaceActions {
  const client = useTRPCClient();
  const nodes = useNodeStore();
  const ui = useUiStore();
  return useMemo(
    () => ({
      ...viewActions(ui),
      ...lifecycleActions(client, nodes, ui),
      ...geometryActions(client, nodes),
    }),
    [client, nodes, ui],
  );
}

function viewActions(ui: UiStore) {
  return {
    open: (id: string, tab?: PanelTab) => {
      const route = currentRoute();
      const kept = route.kind === "workspace" ? route.tab : PANEL_TABS[0];
      ui.setState({ selectedId: id });
      navigate({ kind: "workspace", workspaceId: id, tab: tab ?? kept, teamId: scopeOf(route) });
    },
    closePanel: () => showCanvas(scopeOf(currentRoute())),
    enterTeam: (id: string) => navigate({ kind: "team", teamId: id }),
    leaveTeam: () => navigate({ kind: "canvas" }),
    startRename: (id: string) => ui.setState({ renamingId: id }),
    askRemove: (id: string) => ui.setState({ removingId: id }),
    showConnection: (id: string) => ui.setState({ connecting: { id, connection: null } }),
    askRotate: (id: string) => ui.setState({ rotatingId: id }),
    showSettings: () => navigate({ kind: "settings" }),
    addUnder: (parentId: string | null) =>
      navigate({ kind: "new", templateId: null, parentId, prompt: null }),
    importTeam: (parentId: string | null) => {
      ui.setState({ team: null });
      navigate({ kind: "import", importId: null, dir: null, parentId });
    },
  };
}

function showCanvas(teamId: string | null): void {
  navigate(teamId === null ? { kind: "canvas" } : { kind: "team", teamId });
}

function lifecycleActions(client: Client, nodes: NodeStore, ui: UiStore) {
  const nameOf = (id: string) => nodes.getState().byId[id]?.name ?? "The agent";
  const put = (node: WorkspaceNode) => nodes.put(node);
  const rename = async (id: string, name: string) => {
    ui.setState({ renamingId: null });
    const before = nodes.getState().byId[id];
    if (before === undefined || name.trim() === "" || name.trim() === before.name) return;
    put({ ...before, name: name.trim() });
    await attempt(`“${before.name}” could not be renamed`, async () => {
      put(await client.workspaces.rename.mutate({ id, name: name.trim(), role: before.role }));
    }).then((isDone) => {
      if (!isDone) put(before);
    });
  };
  return {
    rename,
    exportTree: async (id: string | null) => {
      const title = id === null ? "The organisation" : nameOf(id);
      await attempt(`${title} could not be exported`, async () => {
        const { workspaces } = await downloadBundle(client, id);
        const count = workspaces === 1 ? "1 agent" : `${workspaces} agents`;
        toast(`${title} is exported`, { description: `${count}, without secrets.` });
      });
    },
    restart: async (id: string) => {
      await attempt(`${nameOf(id)} could not be restarted`, async () => {
        const { message } = await client.workspaces.restart.mutate({
          id,
          clickId: crypto.randomUUID(),
        });
        toast(nameOf(id), { description: message });
      });
    },
    pause: async (id: string) => {
      await attempt(`${nameOf(id)} could not be paused`, async () => {
        const { count } = await client.workspaces.pause.mutate({ id });
        if (count > 1) toast(`${nameOf(id)} and ${count - 1} below it are paused`);
      });
    },
    resume: async (id: string) => {
      await attempt(`${nameOf(id)} could not be resumed`, () =>
        client.workspaces.resume.mutate({ id }),
      );
    },
    hibernate: async (id: string) => {
      await attempt(`${nameOf(id)} could not be put to sleep`, () =>
        client.workspaces.hibernate.mutate({ id }),
      );
    },
    applyNow: async (id: string) => {
      await attempt("The changes could not be applied now", () =>
        client.workspaces.applyNow.mutate({ id }),
      );
    },
    stopTrying: async (id: string) => {
      await attempt(`The tries of ${nameOf(id)} could not be stopped`, async () => {
        const { message } = await client.workspaces.stopTrying.mutate({ id });
        toast(nameOf(id), { description: message });
      });
    },
  };
}

function geometryActions(client: Client, nodes: NodeStore) {
  const place = async (shapes: readonly Shape[]) => {
    const ids = shapes.map((shape) => shape.id);
    nodes.hold(shapes);
    const cards = shapes.map(({ id, x, y, collapsed }) => ({ id, x, y, collapsed }));
    const isSaved = await attempt("The new place could not be saved", () =>
      client.layout.moveCards.mutate({ cards }),
    );
    nodes.release(ids, isSaved);
  };
  const move: WorkspaceActions["move"] = async (to, { undo, message }) => {
    nodes.hold([to]);
    if (message !== null && undo !== null) {
      const action = {
        label: "Undo",
        onClick: () => void move(undo, { undo: null, message: null }),
      };
      toast(message, { action });
    }
    const { id, parentId, x, y } = to;
    const isSaved = await attempt("The move was not possible", async () => {
      nodes.put(await client.workspaces.move.mutate({ id, parentId, x, y }));
    });
    nodes.release([id], isSaved);
  };
  return { place, move };
}

/** Runs an action; a failure becomes a toast with the platform's own sentence. True when it worked. */
async function attempt(title: string, run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    const { sentence, next } = readProblem(error);
    toast.error(title, { description: next === undefined ? sentence : `${sentence} ${next}` });
    return false;
  }
}
