import { byteRangeOf } from "@molecule/domain/byte-range";
import type { ServedFile } from "../services/chat/served-file.ts";

/**
 * A file as an answer: to be saved, never shown as a page of ours, whole or the part that `Range` asks
 * for. Source: wire contract §9.3, security C2 row 9.
 */
export function fileResponse(file: ServedFile, request: Headers): Response {
  const { size } = file;
  // Files have no version that If-Range could name, so with it the whole file is right.
  const wanted = request.has("if-range") ? null : request.get("range");
  const range = size === null ? ({ kind: "whole" } as const) : byteRangeOf(wanted, size);
  const headers: Record<string, string> = {
    "content-type": file.contentType,
    "content-disposition": dispositionOf(file.name),
    // What an agent wrote is shown by nobody's browser as ours.
    "content-security-policy": "sandbox",
    "cache-control": "no-store",
    ...(size === null ? {} : { "accept-ranges": "bytes" }),
  };
  switch (range.kind) {
    case "whole":
      if (size !== null) headers["content-length"] = String(size);
      return new Response(file.open(null), { headers });
    case "part": {
      const { first, last } = range;
      headers["content-length"] = String(last - first + 1);
      headers["content-range"] = `bytes ${first}-${last}/${size}`;
      return new Response(file.open({ first, last }), { status: 206, headers });
    }
    case "unsatisfiable":
      file.discard();
      return new Response(null, { status: 416, headers: { "content-range": `bytes */${size}` } });
  }
}

function dispositionOf(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\]/g, "_");
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(name)}`;
}
