import { DomainError } from "@molecule/domain/errors";

/** What clients call a `.tar.gz` or `.zip`; what it is its first bytes say. */
const ARCHIVE_TYPES = [
  "application/octet-stream",
  "application/zip",
  "application/x-zip-compressed",
  "application/gzip",
  "application/x-gzip",
];

/** False: JSON, as a body is that names no type. @throws DomainError `unsupported_media_type`. */
export function isArchive(req: Request): boolean {
  const type = (req.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "" || type === "application/json") return false;
  // No form of another page can send one of these.
  if (ARCHIVE_TYPES.includes(type)) return true;
  throw new DomainError(
    "unsupported_media_type",
    `Send it as application/json, or as an archive of one of: ${ARCHIVE_TYPES.join(", ")}.`,
  );
}
