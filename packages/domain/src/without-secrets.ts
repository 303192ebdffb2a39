/** Shorter values would blank ordinary words. */
const MIN_SECRET_LENGTH = 6;
const BLANK = "••••••";

/** Blanks every value of at least six characters wherever it stands, longest first. */
export function withoutSecrets(text: string, values: readonly string[]): string {
  const secrets = values
    .filter((value) => value.length >= MIN_SECRET_LENGTH)
    .toSorted((a, b) => b.length - a.length);
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, BLANK), text);
}

/** The JSON value with every text in it, names of fields included, run through {@link withoutSecrets}. */
export function jsonWithoutSecrets(value: unknown, values: readonly string[]): unknown {
  if (typeof value === "string") return withoutSecrets(value, values);
  if (Array.isArray(value)) return value.map((inner) => jsonWithoutSecrets(inner, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      withoutSecrets(name, values),
      jsonWithoutSecrets(inner, values),
    ]),
  );
}
