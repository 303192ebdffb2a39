import path from "node:path";
import { type ErrorCode, isDomainError } from "@molecule/domain/errors";
import type { RequestHandler } from "express";
import type { Log } from "../log.ts";
import { mimeTypeOf } from "./mime-type.ts";
import { SafeFiles } from "./safe-files.ts";

/** Where the four roots of the file routes really are; files below an absent one are not there. */
export type RootFolders = Readonly<
  Partial<Record<"/configs" | "/workspace" | "/home" | "/plugins", string>>
>;

/**
 * Answers one file as raw bytes: `GET /internal/file/read?path=/workspace/…`. The path must be
 * absolute, canonical and below one of the four roots; dot-files of `/configs` belong to the platform.
 * Source: wire contract §9.3.
 */
export function fileRead(roots: RootFolders, log: Log): RequestHandler {
  return async (req, res) => {
    const wanted = typeof req.query.path === "string" ? req.query.path : "";
    const place = placeOf(roots, wanted);
    if (place === undefined) {
      res.status(400).json({ error: "The path must be absolute and below a known root." });
      return;
    }
    try {
      const content = await new SafeFiles(place.folder).read(place.relative);
      const name = path.posix.basename(wanted);
      res
        .status(200)
        .set({
          "Content-Type": mimeTypeOf(name),
          "Content-Length": String(content.length),
          "Content-Disposition": dispositionOf(name),
          "X-Content-Type-Options": "nosniff",
        })
        .end(content);
    } catch (error) {
      if (isDomainError(error)) {
        res.status(statusOf(error.code)).json({ error: error.message });
        return;
      }
      log.error("a file could not be read", { error });
      res.status(500).json({ error: "The file could not be read." });
    }
  };
}

function placeOf(
  roots: RootFolders,
  wanted: string,
): { folder: string; relative: string } | undefined {
  if (!wanted.startsWith("/") || path.posix.normalize(wanted) !== wanted) return undefined;
  for (const [root, folder] of Object.entries(roots)) {
    if (!wanted.startsWith(`${root}/`)) continue;
    const relative = wanted.slice(root.length + 1);
    const isHidden =
      root === "/configs" && relative.split("/").some((part) => part.startsWith("."));
    return relative === "" || isHidden ? undefined : { folder, relative };
  }
  return undefined;
}

function statusOf(code: ErrorCode): number {
  if (code === "not_found") return 404;
  return code === "payload_too_large" ? 413 : 400;
}

function dispositionOf(name: string): string {
  const ascii = name.replace(/["\r\n\\]/g, "").replace(/[^\x20-\x7e]/g, "_");
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(name)}`;
}
