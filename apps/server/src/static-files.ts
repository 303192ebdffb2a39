import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pagePolicy } from "@molecule/api/page-policy";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".ico": "image/x-icon",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};
/** Names with a hash of their content in them: they never change. */
const HASHED = /^\/_next\/static\//;
const NOT_BUILT =
  "<!doctype html><title>Molecule</title><p>The canvas is not built. Run <code>npm start</code>, or <code>npm run build</code> and reload.</p>";

/**
 * Serves the built canvas from `dir`: its files, and the page for every other address that asks for
 * HTML. Null for what is neither. Nothing outside `dir` is ever read.
 */
export function createStaticFiles(dir: string): (req: Request) => Promise<Response | null> {
  return async (req) => {
    if (req.method !== "GET" && req.method !== "HEAD") return null;
    const { pathname } = new URL(req.url);
    const file = await fileFor(dir, pathname);
    if (file !== null && path.extname(file) !== ".html") {
      return await sendFile(req, file, HASHED.test(pathname));
    }
    if (file !== null) return await sendPage(req, file);
    const wantsHtml = (req.headers.get("accept") ?? "").includes("text/html");
    if (!wantsHtml || pathname.startsWith("/_next/")) return null;
    return await sendPage(req, path.join(dir, "index.html"));
  };
}

/** The regular file of an address inside `dir`; null when there is none. */
async function fileFor(dir: string, pathname: string): Promise<string | null> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (decoded.includes("\0") || decoded.includes("\\")) return null;
  const wanted = path.join(dir, path.posix.normalize(decoded));
  for (const candidate of [wanted, `${wanted.replace(/\/$/, "")}.html`]) {
    try {
      const [root, real] = await Promise.all([realpath(dir), realpath(candidate)]);
      if (!real.startsWith(`${root}${path.sep}`)) continue;
      if ((await stat(real)).isFile()) return real;
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  }
  return null;
}

async function sendFile(req: Request, file: string, isHashed: boolean): Promise<Response> {
  const { size, mtimeMs } = await stat(file);
  const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  const headers = {
    "content-type": TYPES[path.extname(file).toLowerCase()] ?? "application/octet-stream",
    "cache-control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    etag,
  };
  if (isFresh(req, etag)) return new Response(null, { status: 304, headers });
  const body = req.method === "HEAD" ? null : Readable.toWeb(createReadStream(file));
  return new Response(body as ReadableStream<Uint8Array> | null, {
    headers: { ...headers, "content-length": String(size) },
  });
}

/** A page with the policy that allows exactly the scripts the build put into it. */
async function sendPage(req: Request, file: string): Promise<Response> {
  const html = await readFile(file, "utf8").catch((error: unknown) => {
    if (isAbsence(error)) return null;
    throw error;
  });
  if (html === null) {
    return new Response(NOT_BUILT, {
      status: 503,
      headers: { "content-type": TYPES[".html"] ?? "" },
    });
  }
  const etag = `"${createHash("sha256").update(html).digest("base64url").slice(0, 22)}"`;
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "content-security-policy": pagePolicy(inlineScriptHashes(html)),
    etag,
  };
  if (isFresh(req, etag)) return new Response(null, { status: 304, headers });
  return new Response(html, { headers });
}

/** CSP hashes of the inline scripts of a page. */
export function inlineScriptHashes(html: string): string[] {
  const scripts = html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g);
  const hashes = [...scripts].map(
    ([, code]) =>
      `'sha256-${createHash("sha256")
        .update(code ?? "")
        .digest("base64")}'`,
  );
  return [...new Set(hashes)];
}

function isFresh(req: Request, etag: string): boolean {
  const known = (req.headers.get("if-none-match") ?? "").split(",").map((one) => one.trim());
  return known.includes(etag) || known.includes(`W/${etag}`);
}

function isAbsence(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG" || code === "EISDIR";
}
