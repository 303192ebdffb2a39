import type { Shape } from "./shape.ts";

/**
 * One request. `{name}` in path, headers and body stands for what {@link Scope} knows under it: the id
 * of a workspace of the suite, something saved by an earlier step, `{uuid}`.
 */
export interface Call {
  readonly method: string;
  /** A path, or the address of the suite's own agent (`{agent}/…`). */
  readonly path: string;
  /** Whose bearer: `admin`, the name of a workspace, `wrong`; null sends none. */
  readonly as: string | null;
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request and what must come of it. */
export interface Step {
  readonly call: Call;
  /** Any of these. */
  readonly status: readonly number[];
  readonly body?: Shape | undefined;
  readonly headers?: Readonly<Record<string, Shape>> | undefined;
  /** Names under which fields of the answer (`a.b.0`) are known afterwards. */
  readonly save?: Readonly<Record<string, string>> | undefined;
  /** Asked again until it is as it must be, for so long. In ms. */
  readonly within?: number | undefined;
}

/** What a case that is more than requests may use. */
export interface Scope {
  readonly base: string;
  /** The text with every `{name}` replaced. */
  fill(text: string): Promise<string>;
  bearer(name: string | null): Promise<string | null>;
  /** Runs a step. @throws Error saying what was not as it must be. */
  run(step: Step): Promise<unknown>;
}

/** One row of the contract and one status of it. */
export interface ConformanceCase {
  /** Unique: the row and the title. */
  readonly id: string;
  /** Section and line of the wire contract, such as `§5.1:199`. */
  readonly row: string;
  readonly title: string;
  readonly steps: readonly Step[];
  /** Instead of steps, for what is no request and answer: sockets and streams. */
  readonly custom?: {
    readonly sends: string;
    readonly expects: string;
    run(scope: Scope): Promise<void>;
  };
}

type AddCase = (title: string, ...steps: readonly Step[]) => ConformanceCase;

/** Cases of one row of the contract. */
export function rowOf(section: string, line: number): AddCase {
  const row = `${section}:${line}`;
  return (title, ...steps) => ({ id: `${row} ${title}`, row, title, steps });
}

/** A case of one row that is a program. */
export function program(
  section: string,
  line: number,
  about: Pick<ConformanceCase, "title"> & NonNullable<ConformanceCase["custom"]>,
): ConformanceCase {
  const row = `${section}:${line}`;
  const { title, ...custom } = about;
  return { id: `${row} ${title}`, row, title, steps: [], custom };
}

type More = Pick<Step, "headers" | "save" | "within">;

/** A step: the call, the status (or any of several), what the body must look like. */
export function on(
  call: Call,
  status: number | readonly number[],
  body?: Shape,
  more: More = {},
): Step {
  return { call, status: typeof status === "number" ? [status] : status, body, ...more };
}

type Headers = Readonly<Record<string, string>>;

export function get(path: string, as: string | null = "admin", headers: Headers = {}): Call {
  return { method: "GET", path, as, headers };
}

export function post(
  path: string,
  body: unknown,
  as: string | null = "admin",
  headers: Headers = {},
): Call {
  return { method: "POST", path, as, body, headers };
}

export function put(path: string, body: unknown, as: string | null = "admin"): Call {
  return { method: "PUT", path, as, body };
}

export function patch(path: string, body: unknown, as: string | null = "admin"): Call {
  return { method: "PATCH", path, as, body };
}

export function del(path: string, as: string | null = "admin"): Call {
  return { method: "DELETE", path, as };
}

/** A message to an agent. */
export function message(text: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    jsonrpc: "2.0",
    id: "1",
    method: "message/send",
    params: { message: { role: "user", parts: [{ kind: "text", text }], ...more } },
  };
}
