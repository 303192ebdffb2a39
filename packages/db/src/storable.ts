/**
 * What agents and people send may contain characters that Postgres refuses in text and jsonb: NUL and
 * halves of surrogate pairs. They become U+FFFD, so that no message is lost to one of them.
 */
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text as a `text` column can hold it, cut to `maxLength` characters when that is given. */
export function storableText(text: string, maxLength?: number): string {
  const cut = maxLength === undefined ? text : text.slice(0, maxLength);
  return cut.replaceAll("\u0000", "\ufffd").replace(LONE_SURROGATE, "\ufffd");
}

/** The JSON value as a `jsonb` column can hold it; undefined becomes null. */
export function storableJson(value: unknown): unknown {
  const text = JSON.stringify(value ?? null);
  // In JSON text both only occur escaped; a pair of backslashes is an escaped backslash and stays.
  const cleaned = text.replace(/\\\\|\\u0000|\\ud[89a-f][0-9a-f]{2}/g, (sequence) =>
    sequence === "\\\\" ? sequence : "\ufffd",
  );
  return cleaned === text ? (value ?? null) : JSON.parse(cleaned);
}
