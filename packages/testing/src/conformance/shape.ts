/** Says whether a value is as the contract wants it, and in words what that is. */
export interface Matcher {
  readonly matcher: string;
  matches(value: unknown): boolean;
  /** The same with its own plain texts run through `fill`; absent when it has none. */
  filled?(fill: (text: string) => string): Matcher;
}

/**
 * What a JSON value must look like. Objects name the keys that must be there; others are ignored, as
 * clients of the contract do. Arrays are compared element by element.
 */
export type Shape =
  | Matcher
  | string
  | number
  | boolean
  | null
  | readonly Shape[]
  | { readonly [key: string]: Shape };

function matcher(text: string, matches: (value: unknown) => boolean): Matcher {
  return { matcher: text, matches };
}

export const text = matcher("text", (value) => typeof value === "string");
export const someText = matcher(
  "non-empty text",
  (value) => typeof value === "string" && value !== "",
);
export const number = matcher("number", (value) => typeof value === "number");
export const int = matcher("whole number", (value) => Number.isInteger(value));
export const bool = matcher("true or false", (value) => typeof value === "boolean");
export const object = matcher(
  "object",
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
);
export const array = matcher("list", (value) => Array.isArray(value));
export const absent = matcher("absent", (value) => value === undefined);
export const present = matcher("present", (value) => value !== undefined);
export const uuid = like(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "uuid");
/** RFC 3339 in UTC. */
export const time = like(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)$/, "UTC time");
/** 32 random bytes as base64url, perhaps with a short prefix in front. Source: contract §2.1. */
export const token43 = like(/^([a-z]{1,8}_)?[\w-]{43}$/, "token of 43 characters");

export function like(pattern: RegExp, name = String(pattern)): Matcher {
  return matcher(name, (value) => typeof value === "string" && pattern.test(value));
}

/** A matcher of another shape, whose placeholders are filled with it. */
function around(
  inner: Shape,
  say: (inner: string) => string,
  test: (isInner: (value: unknown) => boolean, value: unknown) => boolean,
): Matcher {
  return {
    matcher: say(describe(inner)),
    matches: (value) => test((one) => isLike(inner, one), value),
    filled: (fill) => around(filled(inner, fill), say, test),
  };
}

export function orNull(inner: Shape): Matcher {
  return around(
    inner,
    (said) => `${said} or null`,
    (isInner, value) => value === null || isInner(value),
  );
}

export function orAbsent(inner: Shape): Matcher {
  return around(
    inner,
    (said) => `${said} or absent`,
    (isInner, value) => value === undefined || isInner(value),
  );
}

export function not(inner: Shape): Matcher {
  return around(
    inner,
    (said) => `not ${said}`,
    (isInner, value) => !isInner(value),
  );
}

/** A list of any length, each element like `inner`. */
export function listOf(inner: Shape): Matcher {
  return around(
    inner,
    (said) => `list of ${said}`,
    (isInner, value) => Array.isArray(value) && value.every(isInner),
  );
}

/** A list with at least one element like `inner`. */
export function including(inner: Shape): Matcher {
  return around(
    inner,
    (said) => `list with ${said}`,
    (isInner, value) => Array.isArray(value) && value.some(isInner),
  );
}

export function oneOf(...shapes: readonly Shape[]): Matcher {
  return {
    matcher: shapes.map(describe).join(" | "),
    matches: (value) => shapes.some((shape) => isLike(shape, value)),
    filled: (fill) => oneOf(...shapes.map((shape) => filled(shape, fill))),
  };
}

export function ofLength(length: number): Matcher {
  return matcher(`list of ${length}`, (value) => Array.isArray(value) && value.length === length);
}

export function atLeast(least: number): Matcher {
  return matcher(`number ≥ ${least}`, (value) => typeof value === "number" && value >= least);
}

function isMatcher(shape: Shape): shape is Matcher {
  return typeof shape === "object" && shape !== null && "matcher" in shape && "matches" in shape;
}

export function isLike(shape: Shape, value: unknown): boolean {
  return mismatch(shape, value) === null;
}

/** Where and how `value` is not like `shape`; null when it is. */
export function mismatch(shape: Shape, value: unknown, path = "body"): string | null {
  if (isMatcher(shape)) {
    return shape.matches(value) ? null : `${path} is ${short(value)}, not ${shape.matcher}`;
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value) || value.length !== shape.length) {
      return `${path} is ${short(value)}, not ${describe(shape)}`;
    }
    return firstOf(shape.map((one, at) => mismatch(one, value[at], `${path}[${at}]`)));
  }
  if (typeof shape === "object" && shape !== null) {
    if (typeof value !== "object" || value === null) {
      return `${path} is ${short(value)}, not ${describe(shape)}`;
    }
    const fields = value as Readonly<Record<string, unknown>>;
    return firstOf(
      Object.entries(shape).map(([key, inner]) => mismatch(inner, fields[key], `${path}.${key}`)),
    );
  }
  return Object.is(shape, value) ? null : `${path} is ${short(value)}, not ${short(shape)}`;
}

function firstOf(found: readonly (string | null)[]): string | null {
  return found.find((one) => one !== null) ?? null;
}

/** A shape in words. */
export function describe(shape: Shape): string {
  if (isMatcher(shape)) return shape.matcher;
  if (Array.isArray(shape)) return `[${shape.map(describe).join(", ")}]`;
  if (typeof shape === "object" && shape !== null) {
    const fields = Object.entries(shape).map(([key, inner]) => `${key}: ${describe(inner)}`);
    return `{${fields.join(", ")}}`;
  }
  return JSON.stringify(shape);
}

function short(value: unknown): string {
  const said = value === undefined ? "absent" : JSON.stringify(value);
  return said.length > 160 ? `${said.slice(0, 160)}…` : said;
}

/** The same shape with every plain text run through `fill`. */
export function filled(shape: Shape, fill: (text: string) => string): Shape {
  if (typeof shape === "string") return fill(shape);
  if (typeof shape !== "object" || shape === null) return shape;
  if (isMatcher(shape)) return shape.filled?.(fill) ?? shape;
  if (Array.isArray(shape)) return shape.map((one: Shape) => filled(one, fill));
  return Object.fromEntries(
    Object.entries(shape).map(([key, inner]) => [key, filled(inner as Shape, fill)]),
  );
}
