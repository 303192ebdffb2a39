/** Longest stored name and longest extension in characters. Source: wire contract §9.2. */
const MAX_NAME = 100;
const MAX_EXTENSION = 16;

/** The name an upload is stored under: a base name of `[A-Za-z0-9._-]` only, never empty. */
export function uploadName(given: string): string {
  const base = given.split(/[\\/]/).at(-1) ?? "";
  const clean = base.replace(/[^A-Za-z0-9._-]/g, "_");
  const name = shorten(clean);
  return name === "" || name === "." || name === ".." ? "file" : name;
}

function shorten(name: string): string {
  if (name.length <= MAX_NAME) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot) : "";
  if (extension.length > MAX_EXTENSION) return name.slice(0, MAX_NAME);
  return name.slice(0, MAX_NAME - extension.length) + extension;
}
