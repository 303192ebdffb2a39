import { describe, expect, it } from "vitest";
import { hrefOf, parseRoute, type Route, scopeOf } from "./route.ts";

function reparse(route: Route): Route {
  const url = new URL(hrefOf(route), "http://molecule.test");
  return parseRoute(url.pathname, url.search);
}

describe("addresses", () => {
  const routes: Route[] = [
    { kind: "canvas" },
    { kind: "team", teamId: "t1" },
    { kind: "workspace", workspaceId: "w1", tab: "files", teamId: null },
    { kind: "workspace", workspaceId: "w1", tab: "configure", teamId: "t1" },
    { kind: "settings" },
    { kind: "import", importId: null, dir: null, parentId: null },
    { kind: "import", importId: null, dir: "small team", parentId: "w1" },
    { kind: "import", importId: "i1", dir: null, parentId: null },
    { kind: "new", templateId: null, parentId: null, prompt: null },
    { kind: "new", templateId: "demo", parentId: "w1", prompt: "Read & sum up" },
  ];
  it.each(routes)("give back the same view after a reload: $kind", (route) => {
    expect(reparse(route)).toEqual(route);
  });

  it("open the chat when the tab is missing or unknown", () => {
    expect(parseRoute("/w/w1", "")).toMatchObject({ tab: "chat" });
    expect(parseRoute("/w/w1/nonsense", "")).toMatchObject({ tab: "chat" });
  });

  it("show the canvas for a path that nobody knows", () => {
    expect(parseRoute("/nothing/here", "")).toEqual({ kind: "canvas" });
  });

  it("keep the team behind an open panel", () => {
    expect(scopeOf(parseRoute("/w/w1/chat", "?team=t9"))).toBe("t9");
    expect(scopeOf(parseRoute("/", ""))).toBeNull();
  });
});
