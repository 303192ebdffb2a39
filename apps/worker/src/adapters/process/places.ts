import path from "node:path";
import type { FileRoot } from "@molecule/domain/sets";

/** The folders of one workspace on this machine. All absolute. */
export interface Places {
  /** Holds the others; owned by the platform. */
  readonly folder: string;
  readonly configs: string;
  readonly workspace: string;
  readonly home: string;
  readonly plugins: string;
  /** The platform's own records and logs of its instances; closed to the agent. */
  readonly run: string;
}

const WORKSPACE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Where the workspaces of this platform are. */
export function workspacesFolder(home: string): string {
  return path.join(home, "workspaces");
}

/** The folders of a workspace, whether they exist or not. The id is part of a path, so it is checked. */
export function placesOf(home: string, workspaceId: string): Places {
  if (!WORKSPACE_ID.test(workspaceId)) throw new Error("invariant: a workspace id is a UUID");
  const folder = path.join(workspacesFolder(home), workspaceId);
  return {
    folder,
    configs: path.join(folder, "configs"),
    workspace: path.join(folder, "workspace"),
    home: path.join(folder, "home"),
    plugins: path.join(folder, "plugins"),
    run: path.join(folder, "run"),
  };
}

/** The folder behind a root of the Files API. */
export function folderOfRoot(places: Places, root: FileRoot): string {
  switch (root) {
    case "/configs":
      return places.configs;
    case "/workspace":
      return places.workspace;
    case "/home":
      return places.home;
    case "/plugins":
      return places.plugins;
  }
}
