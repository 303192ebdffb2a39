import { DomainError } from "./errors.ts";
import { FILE_ROOTS, type FileRoot } from "./sets.ts";

/** Longest relative path in bytes and in segments. Source: security C2 row 8. */
export const MAX_PATH_BYTES = 512;
export const MAX_PATH_SEGMENTS = 32;
/** Largest managed file in bytes. Source: lifecycle A3. */
export const MAX_MANAGED_FILE_BYTES = 1_048_576;

/** A root of the Files API; throws `bad_request` for any other text. */
export function parseFileRoot(text: string): FileRoot {
  const root = FILE_ROOTS.find((known) => known === text);
  if (root === undefined) {
    throw new DomainError("bad_request", `The root must be one of ${FILE_ROOTS.join(", ")}.`);
  }
  return root;
}

/**
 * A relative path in NFC without empty, `.` or `..` segments.
 * @throws DomainError `bad_request` with a sentence that says which rule the path breaks.
 */
export function parseRelativePath(text: string): string {
  const path = text.normalize("NFC");
  const refuse = (why: string): never => {
    throw new DomainError("bad_request", `This path cannot be used: ${why}.`);
  };
  if (path === "" || path === ".") refuse("it is empty");
  if (path.includes("\0")) refuse("it contains a NUL character");
  if (/[\u0001-\u001f\u007f]/.test(path)) refuse("it contains a control character");
  if (path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path)) refuse("it is absolute");
  if (path.includes("\\")) refuse("it contains a backslash");
  if (new TextEncoder().encode(path).length > MAX_PATH_BYTES) {
    refuse(`it is longer than ${MAX_PATH_BYTES} bytes`);
  }
  const segments = path.split("/");
  if (segments.length > MAX_PATH_SEGMENTS) refuse(`it is deeper than ${MAX_PATH_SEGMENTS} folders`);
  if (segments.some((segment) => segment === "")) refuse("it has an empty part");
  if (segments.some((segment) => segment === "." || segment === "..")) {
    refuse("it leaves its folder");
  }
  return path;
}

/** Files of the platform and the runtime: not listed, read or written through the Files API. */
export function isPlatformFile(root: FileRoot, path: string): boolean {
  return root === "/configs" && path.split("/").some((segment) => segment.startsWith("."));
}
