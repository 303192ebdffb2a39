const BY_EXTENSION: Readonly<Record<string, string>> = {
  css: "text/css",
  csv: "text/csv",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  gif: "image/gif",
  gz: "application/gzip",
  html: "text/html",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript",
  json: "application/json",
  md: "text/markdown",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  py: "text/x-python",
  svg: "image/svg+xml",
  ts: "text/plain",
  txt: "text/plain",
  wav: "audio/wav",
  webm: "video/webm",
  webp: "image/webp",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  zip: "application/zip",
};

const UNKNOWN = "application/octet-stream";

/** The media type that a file's extension suggests. */
export function mimeTypeOf(name: string): string {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return BY_EXTENSION[extension] ?? UNKNOWN;
}

/** How files begin whose kind can be told from their first bytes alone. */
const SIGNATURES: readonly (readonly [string, readonly number[]])[] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["application/pdf", [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ["application/gzip", [0x1f, 0x8b]],
  ["application/zip", [0x50, 0x4b, 0x03, 0x04]],
];
/** Bytes that are looked at to tell text from anything else. */
const TEXT_SAMPLE = 4096;

/**
 * The media type of a file by its content, then by its name, then text or bytes. A zip may be a document,
 * so there the name decides first.
 */
export function mimeTypeOfContent(name: string, content: Uint8Array): string {
  const byName = mimeTypeOf(name);
  const byContent = SIGNATURES.find(([, bytes]) => bytes.every((b, at) => content[at] === b))?.[0];
  if (byContent !== undefined && (byContent !== "application/zip" || byName === UNKNOWN)) {
    return byContent;
  }
  if (byName !== UNKNOWN) return byName;
  return isText(content.subarray(0, TEXT_SAMPLE)) ? "text/plain" : UNKNOWN;
}

function isText(sample: Uint8Array): boolean {
  if (sample.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(sample, { stream: true });
    return true;
  } catch {
    return false;
  }
}
