/** The tabs of the panel, in the order of the keys 1 to 5. */
export const PANEL_TABS = ["chat", "activity", "overview", "files", "configure"] as const;
export type PanelTab = (typeof PANEL_TABS)[number];

/** Every view of the application; each has exactly one address. */
export type Route =
  | { readonly kind: "canvas" }
  | { readonly kind: "team"; readonly teamId: string }
  | {
      readonly kind: "workspace";
      readonly workspaceId: string;
      readonly tab: PanelTab;
      /** The team that the canvas behind the panel is scoped to. */
      readonly teamId: string | null;
    }
  | { readonly kind: "settings" }
  | {
      /** A team on its way in: its choice and preview, or, with an id, how far its import is. */
      readonly kind: "import";
      readonly importId: string | null;
      /** The operator's folder that is previewed. */
      readonly dir: string | null;
      /** The workspace that it goes below. */
      readonly parentId: string | null;
    }
  | {
      readonly kind: "new";
      readonly templateId: string | null;
      readonly parentId: string | null;
      /** The first message, typed before the agent exists. */
      readonly prompt: string | null;
    };

/** The route of an address; an unknown path is the canvas. */
export function parseRoute(pathname: string, search: string): Route {
  const [first, second, third] = pathname.split("/").filter((part) => part !== "");
  const query = new URLSearchParams(search);
  if (first === "w" && second !== undefined) {
    const tab = PANEL_TABS.find((known) => known === third) ?? "chat";
    return { kind: "workspace", workspaceId: second, tab, teamId: query.get("team") };
  }
  if (first === "t" && second !== undefined) return { kind: "team", teamId: second };
  if (first === "settings") return { kind: "settings" };
  if (first === "import") {
    return {
      kind: "import",
      importId: second ?? null,
      dir: query.get("team"),
      parentId: query.get("parent"),
    };
  }
  if (first === "new") {
    return {
      kind: "new",
      templateId: query.get("template"),
      parentId: query.get("parent"),
      prompt: query.get("prompt"),
    };
  }
  return { kind: "canvas" };
}

/** The address of a route; {@link parseRoute} of it is the same route. */
export function hrefOf(route: Route): string {
  switch (route.kind) {
    case "canvas":
      return "/";
    case "team":
      return `/t/${encodeURIComponent(route.teamId)}`;
    case "workspace": {
      const path = `/w/${encodeURIComponent(route.workspaceId)}/${route.tab}`;
      return withQuery(path, { team: route.teamId });
    }
    case "settings":
      return "/settings/secrets";
    case "import": {
      const path = route.importId === null ? "" : `/${encodeURIComponent(route.importId)}`;
      return withQuery(`/import${path}`, { team: route.dir, parent: route.parentId });
    }
    case "new":
      return withQuery("/new", {
        template: route.templateId,
        parent: route.parentId,
        prompt: route.prompt,
      });
  }
}

/** The team that the canvas shows, or null for the whole organisation. */
export function scopeOf(route: Route): string | null {
  return route.kind === "team" || route.kind === "workspace" ? route.teamId : null;
}

/** The workspace whose panel is open, or null. */
export function openWorkspaceOf(route: Route): string | null {
  return route.kind === "workspace" ? route.workspaceId : null;
}

function withQuery(path: string, values: Readonly<Record<string, string | null>>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== null) query.set(key, value);
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}
