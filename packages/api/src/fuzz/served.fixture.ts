import { DomainError } from "@molecule/domain/errors";
import { z } from "zod";
import { TEST_ADMIN_TOKEN, TEST_HOST, type TestApi } from "../api.fixture.ts";
import { EventHub } from "../events/event-hub.ts";
import { OpenStreams } from "../events/open-streams.ts";
import { allRoutes } from "../http/all-routes.ts";
import { createRequestHandler } from "../http/handle-request.ts";
import { RateLimiter } from "../http/rate-limit.ts";
import type { RequestContext } from "../http/request-context.ts";
import type { Route } from "../http/router.ts";
import { appRouter } from "../root.ts";
import type { JsonSchema } from "./schema-values.fixture.ts";

/** What can be asked for, and how: learned from the routes themselves, so that a new one is there too. */
export interface Served {
  readonly method: string;
  /** A route's pattern, or `/trpc/<procedure>`. */
  readonly path: string;
  /** Of the body, or of a procedure's input; null where nothing is read. */
  readonly schema: JsonSchema | null;
  /** Names of the query that are read. */
  readonly query: readonly string[];
  /** The body names the workspace whose token is needed. */
  readonly isAgents: boolean;
}

/** Every plain route and every procedure of an API. */
export async function servedBy(api: TestApi, workspaceId: string): Promise<Served[]> {
  const hub = await EventHub.start(api.deps);
  const streams = await OpenStreams.start(api.deps);
  const routes = allRoutes({ hub, streams, notifies: new RateLimiter(0) });
  const served: Served[] = [];
  for (const route of routes) served.push(await learn(api, route, workspaceId));
  await streams.stop();
  await hub.stop();
  return [...served, ...procedures()];
}

async function learn(api: TestApi, route: Route, workspaceId: string): Promise<Served> {
  const query = new Set<string>();
  let schema: JsonSchema | null = null;
  const spied = async (context: RequestContext): Promise<Response> => {
    const body: RequestContext["body"] = (wanted) => {
      schema = jsonSchemaOf(wanted);
      throw new DomainError("bad_request", "That is all there was to learn.");
    };
    return await route.handle({ ...context, body, query: spyOn(context.query, query) });
  };
  const { method, path, guard } = route;
  const handle = createRequestHandler({ deps: api.deps, limiter: new RateLimiter(0) }, [
    { method, path, guard, handle: spied, ...(route.takes ? { takes: route.takes } : {}) },
  ]);
  const isAgents = guard.kind === "registry";
  const target = path.replace(":id", workspaceId).replace(/:\w+|\*$/, "K");
  const token = isAgents ? await api.tokenOf(workspaceId) : TEST_ADMIN_TOKEN;
  const named = JSON.stringify({ id: workspaceId, workspace_id: workspaceId });
  const request = new Request(`http://${TEST_HOST}${target}`, {
    method,
    headers: {
      host: TEST_HOST,
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    },
    ...(method === "GET" || method === "DELETE" ? {} : { body: named }),
  });
  const response = await handle(request, { ip: "192.0.2.1" });
  await response?.body?.cancel();
  return { method, path, schema, query: [...query], isAgents };
}

function spyOn(query: URLSearchParams, names: Set<string>): URLSearchParams {
  return new Proxy(query, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (property === "get" || property === "has") names.add(String(args[0]));
        return value.apply(target, args) as unknown;
      };
    },
  });
}

function procedures(): Served[] {
  const known: Record<string, unknown> = { ...appRouter._def.procedures };
  return Object.entries(known).map(([path, one]) => {
    const { type, inputs } = (one as { _def: { type: string; inputs: z.ZodType[] } })._def;
    const [input] = inputs;
    return {
      method: type === "mutation" ? "POST" : "GET",
      path: `/trpc/${path}`,
      schema: input === undefined ? null : jsonSchemaOf(input),
      query: [],
      isAgents: false,
    };
  });
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
}
