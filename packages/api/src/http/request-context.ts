import type { IncomingMessage, ServerResponse } from "node:http";
import { DomainError } from "@molecule/domain/errors";
import type { z } from "zod";
import type { Auth } from "../context.ts";
import type { Deps } from "../deps.ts";
import { readJson } from "./read-body.ts";

/** Node's own objects, for a handler that streams an upload or an answer itself. */
interface RawExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Where a request came from. */
export interface Peer {
  /** The TCP peer; forwarding headers are never believed. */
  readonly ip: string;
  /** Absent when the request did not come over a socket (tests). */
  readonly raw?: RawExchange | undefined;
}

/** What a handler gets. `auth` satisfies the route's guard. */
export interface RequestContext {
  readonly req: Request;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly deps: Deps;
  readonly auth: Auth;
  readonly requestId: string;
  readonly peer: Peer;
  /** The workspace id of the path (or, for registry routes, of the body) in canonical form. */
  readonly workspaceId: string;
  /** The JSON body by `schema`, unknown keys stripped. An absent body reads as `{}`. */
  body<S extends z.ZodType>(schema: S): Promise<z.output<S>>;
  /** The JSON body as it came; undefined when there is none. Read once, remembered. */
  json(): Promise<unknown>;
}

/** A function that reads the JSON body once. */
export function onceJson(req: Request): () => Promise<unknown> {
  let reading: Promise<unknown> | undefined;
  return () => {
    reading ??= readJson(req);
    return reading;
  };
}

/** An absent body or a JSON object passes. @throws DomainError `bad_request`. */
export function requireObject(value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new DomainError("bad_request", "The body must be a JSON object.");
  }
}

/** `value` by `schema`. @throws ZodError, answered as `bad_request` naming the field. */
export function parseBody<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  requireObject(value);
  return schema.parse(value ?? {});
}
