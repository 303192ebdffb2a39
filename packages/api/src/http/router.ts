import type { Deps } from "../deps.ts";
import type { Guard } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Answers one request. A thrown `DomainError` becomes its status and body. */
export type Handler = (context: RequestContext) => Promise<Response> | Response;

/** One plain HTTP route. */
export interface Route {
  readonly method: Method;
  /** Segments; `:name` matches one, `*` as the last matches the rest, slashes included. */
  readonly path: string;
  readonly guard: Guard;
  readonly handle: Handler;
  /** `stream`: the handler reads the body itself (an upload); it need not be JSON. */
  readonly takes?: "stream";
  readonly shortcut?: Shortcut;
}

/**
 * Answers what callers of a route ask nearly every time, proving the bearer itself and changing nothing
 * unless it is right. Null: guard and handler decide.
 */
export type Shortcut = (asked: {
  readonly deps: Deps;
  readonly tokenSha256: Uint8Array;
  /** The JSON body as it came. */
  readonly body: unknown;
}) => Promise<Response | null>;

/** One row of a route table. */
export function route(method: Method, path: string, guard: Guard, handle: Handler): Route {
  return { method, path, guard, handle };
}

/** The same route, whose usual request is answered in a shorter way. */
export function withShortcut(entry: Route, shortcut: Shortcut): Route {
  return { ...entry, shortcut };
}

/** The same route with a body that its handler reads itself, without the JSON limits. */
export function streaming(entry: Route): Route {
  return { ...entry, takes: "stream" };
}

/** A route and what its pattern took from the path; `*` is under the name `rest`. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** A lookup over a table. Paths with a bad percent encoding match nothing. */
export type FindRoute = (method: string, pathname: string) => RouteMatch | null;

/** Builds the lookup; literal segments win over parameters, in whichever order the table has them. */
export function createRouter(routes: readonly Route[]): FindRoute {
  const compiled = routes.map((entry) => ({ entry, segments: entry.path.split("/").slice(1) }));
  compiled.sort((a, b) => specificity(b.segments) - specificity(a.segments));
  return (method, pathname) => {
    const wanted = method === "HEAD" ? "GET" : method;
    const parts = pathname.split("/").slice(1);
    for (const { entry, segments } of compiled) {
      if (entry.method !== wanted) continue;
      const params = match(segments, parts);
      if (params !== null) return { route: entry, params };
    }
    return null;
  };
}

function specificity(segments: readonly string[]): number {
  return segments.filter((segment) => !segment.startsWith(":") && segment !== "*").length;
}

function match(
  segments: readonly string[],
  parts: readonly string[],
): Readonly<Record<string, string>> | null {
  const params: Record<string, string> = {};
  const hasRest = segments.at(-1) === "*";
  if (hasRest ? parts.length < segments.length : parts.length !== segments.length) return null;
  for (const [index, segment] of segments.entries()) {
    if (segment === "*") {
      const rest = decode(parts.slice(index).join("/"));
      if (rest === null) return null;
      params.rest = rest;
      return params;
    }
    const part = parts[index] ?? "";
    if (!segment.startsWith(":")) {
      if (segment !== part) return null;
      continue;
    }
    const value = decode(part);
    if (value === null || value === "") return null;
    params[segment.slice(1)] = value;
  }
  return params;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
