import type { Random } from "./random.fixture.ts";

/** A JSON schema as zod writes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What values are made from. */
export interface ValueSource {
  readonly random: Random;
  /** How often a value is something else than its schema says, at every place of it. */
  readonly oddness: number;
  /** Ids that exist, were removed or never were. */
  readonly ids: readonly string[];
}

const DEEP = (depth: number): unknown => (depth === 0 ? "end" : { a: [DEEP(depth - 1)] });

/** Values that somebody did not think of. */
const ODD: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 31 - 1, -(2 ** 31) - 1],
  ...[2 ** 53, -(2 ** 53), 2 ** 63, 0.1, 1.5, "", " ", "\t", "\n", "\u0000", "a\u0000b", "\ud800"],
  ...[
    "\udfff\ud800",
    "\u202e",
    "\ufeff",
    "\u2028",
    "é",
    "é",
    "👩‍👩‍👧‍👦",
    "İ",
    "ß",
    "%00",
    "%",
    "%2e%2e",
  ],
  ...[
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\x",
    "a/../b",
    "./a",
    "a//b",
    ".",
    "..",
    "~",
    "-rf",
  ],
  ...["$(id)", "`id`", "; DROP TABLE workspaces", "' OR 1=1 --", "\\x00", "{{7*7}}"],
  ...["<script>alert(1)</script>", "javascript:alert(1)", "NaN", "Infinity", "1e999", "0x10", "-1"],
  ...["null", "undefined", "true", "[]", "{}", "[object Object]", "__proto__", "constructor"],
  ...["2026-13-45T99:99:99Z", "0000-00-00", "9".repeat(400), "a".repeat(300), "x".repeat(70_000)],
  ...["\r\nSet-Cookie: a=b", "system:restart-context", "00000000-0000-0000-0000-000000000000"],
  ...["FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF", "{11111111-1111-4111-8111-111111111111}"],
  ...[[], {}, [null], [[]], [{}], [1, "a", null], { "": "" }, { a: { b: { c: null } } }],
  ...[{ length: -1 }, { toString: 1 }, { toJSON: "x" }, { constructor: { prototype: {} } }],
  DEEP(10),
  DEEP(40),
  Array.from({ length: 300 }, (_, at) => at),
  Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`k${at}`, at])),
];

/** Texts that some pattern of ours takes. */
const TEXTS: readonly string[] = [
  ...[
    "a",
    "Ada",
    "hello world",
    "OPENAI_API_KEY",
    "K",
    "notes.md",
    "system-prompt.md",
    "config.yaml",
  ],
  ...["skills/a/SKILL.md", "claude-code", "demo", "external", "anthropic/claude-sonnet-4-5", "UTC"],
  ...["Europe/Berlin", "* * * * *", "0 9 * * 1-5", "*/5 * * * *", "0 0 29 2 *", "message/send"],
  ...["message/stream", "tasks/get", "ok", "error", "queued", "completed", "failed", "LOCAL"],
  ...["click-0001", "2026-01-31T12:00:00Z", "/configs", "/workspace", "name: x\n", "a: [", "- 1\n"],
  ...[
    "http://127.0.0.1:9/",
    "http://8.8.8.8:9/",
    "https://[::1]/",
    "poll",
    "push",
    "wedged",
    "/srv/a",
  ],
];

/** A value that does what the schema says, nearly everywhere. */
export function valueFor(schema: JsonSchema, source: ValueSource, key = ""): unknown {
  const { random } = source;
  if (random.chance(source.oddness)) return random.pick(ODD);
  const options = listOf(schema.anyOf) ?? listOf(schema.oneOf);
  if (options !== null) return valueFor(random.pick(options), source, key);
  if (Array.isArray(schema.enum)) return random.pick(schema.enum);
  if ("const" in schema) return schema.const;
  switch (schema.type) {
    case "object":
      return objectOf(schema, source);
    case "array":
      return arrayOf(schema, source, key);
    case "string":
      return textOf(schema, source, key);
    case "integer":
      return Math.round(numberOf(schema, random));
    case "number":
      return numberOf(schema, random);
    case "boolean":
      return random.chance(0.5);
    case "null":
      return null;
    default:
      return random.chance(0.5) ? random.pick(TEXTS) : random.pick(ODD);
  }
}

/** One of the values that nothing of ours expects. */
export function oddValue(random: Random): unknown {
  return random.pick(ODD);
}

/** One of the texts, odd or not. */
export function oddText(random: Random): string {
  const value = random.chance(0.5) ? random.pick(TEXTS) : random.pick(ODD);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function listOf(value: unknown): readonly JsonSchema[] | null {
  return Array.isArray(value) && value.length > 0 ? (value as JsonSchema[]) : null;
}

function objectOf(schema: JsonSchema, source: ValueSource): unknown {
  const { random, oddness } = source;
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = Array.isArray(schema.required) ? (schema.required as string[]) : [];
  const result: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(properties)) {
    const isGiven = required.includes(key) ? !random.chance(oddness) : random.chance(0.4);
    if (isGiven) result[key] = valueFor(inner, source, key);
  }
  const rest = schema.additionalProperties;
  if (typeof rest === "object" && rest !== null) {
    for (let n = random.below(4); n > 0; n -= 1) {
      result[oddKey(random)] = valueFor(rest as JsonSchema, source);
    }
  }
  if (random.chance(oddness)) result[oddKey(random)] = oddValue(random);
  return result;
}

function oddKey(random: Random): string {
  return random.chance(0.6) ? random.pick(TEXTS) : oddText(random).slice(0, 200);
}

function arrayOf(schema: JsonSchema, source: ValueSource, key: string): unknown {
  const { random } = source;
  const items = (schema.items ?? {}) as JsonSchema;
  const count = random.chance(0.02) ? 1500 : random.below(4);
  return Array.from({ length: count }, () => valueFor(items, source, key));
}

function textOf(schema: JsonSchema, { random, ids }: ValueSource, key: string): string {
  if (/(^|_)id$|Id$/.test(key) && random.chance(0.8)) return random.pick(ids);
  const pattern = typeof schema.pattern === "string" ? safePattern(schema.pattern) : null;
  const fitting =
    pattern === null ? TEXTS : [...TEXTS, ...ids].filter((text) => pattern.test(text));
  const text = fitting.length === 0 ? random.pick(ids) : random.pick(fitting);
  const max = typeof schema.maxLength === "number" ? schema.maxLength : 500;
  if (random.chance(0.05)) return "x".repeat(max + (random.chance(0.5) ? 1 : 0));
  return text;
}

function safePattern(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return null;
  }
}

function numberOf(schema: JsonSchema, random: Random): number {
  const min = typeof schema.minimum === "number" ? schema.minimum : -1000;
  const max = typeof schema.maximum === "number" ? schema.maximum : 1000;
  const edge = random.below(6);
  if (edge === 0) return min;
  if (edge === 1) return max;
  if (edge === 2) return max + 1;
  return min + random.next() * (Math.min(max, min + 1_000_000) - min);
}
