import { ENV_NAME } from "@molecule/domain/env-need";

/** Name of the file whose lines become secrets. */
export const ENV_FILE = ".env";
/** Longest value of a secret. */
const MAX_VALUE_CHARS = 65_536;
/** Most secrets of one file. */
const MAX_KEYS = 200;

/** What an `.env` file sets. */
export interface EnvFile {
  readonly values: ReadonlyMap<string, string>;
  /** Numbers of the lines that set nothing and are no comment; their text is told to nobody. */
  readonly badLines: readonly number[];
}

/**
 * Lines `KEY=value`, with or without `export`; a value in quotes may have spaces at its ends, and in
 * double quotes `\n`. The last line of a name counts; an empty value sets nothing.
 */
export function readEnvFile(text: string): EnvFile {
  const values = new Map<string, string>();
  const badLines: number[] = [];
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const read = /^(?:export\s+)?([^=\s]+)\s*=\s*(.*)$/.exec(line);
    const [, key = "", written = ""] = read ?? [];
    const value = unquoted(written);
    const isUsable = ENV_NAME.test(key) && value.length <= MAX_VALUE_CHARS && !/\0/.test(value);
    if (!isUsable || (!values.has(key) && values.size >= MAX_KEYS)) badLines.push(at + 1);
    else if (value === "") values.delete(key);
    else values.set(key, value);
  }
  return { values, badLines };
}

function unquoted(written: string): string {
  const quoted = /^(["'])(.*)\1\s*(?:#.*)?$/.exec(written);
  if (quoted === null) return written.replace(/\s+#.*$/, "").trim();
  const [, quote, inner = ""] = quoted;
  return quote === '"' ? inner.replaceAll("\\n", "\n").replaceAll('\\"', '"') : inner;
}
