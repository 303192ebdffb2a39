/** What an archive holds, by the names in it. */
export type ArchiveKind = "team" | "agent" | "unknown";

const BLOCK = 512;

/**
 * Team or agent, by `org.yaml` or `config.yaml` at the top of a zip or a gzipped tar. Only names are
 * read; whether it can be used the platform says.
 */
export async function archiveKind(bytes: Uint8Array<ArrayBuffer>): Promise<ArchiveKind> {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return kindOf(zipNames(bytes));
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    const tar = await gunzip(bytes).catch(() => null);
    return tar === null ? "unknown" : kindOf(tarNames(tar));
  }
  return "unknown";
}

/** With at most one folder around them, as everywhere. */
function kindOf(names: readonly string[]): ArchiveKind {
  const has = (name: string) =>
    names.some((path) => path === name || /^[^/]+\/(.+)$/.exec(path)?.[1] === name);
  if (has("org.yaml")) return "team";
  return has("config.yaml") ? "agent" : "unknown";
}

/** Names in the central directory. */
function zipNames(bytes: Uint8Array<ArrayBuffer>): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names: string[] = [];
  for (let at = 0; at + 46 <= bytes.length; at += 1) {
    if (view.getUint32(at, true) !== 0x02014b50) continue;
    const length = view.getUint16(at + 28, true);
    names.push(textOf(bytes.subarray(at + 46, at + 46 + length)));
    at += 45 + length;
  }
  return names;
}

function tarNames(bytes: Uint8Array): string[] {
  const names: string[] = [];
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const name = textOf(bytes.subarray(at, at + 100)).replace(/\0.*$/s, "");
    if (name === "") break;
    names.push(name.replace(/^\.\//, ""));
    const size = Number.parseInt(textOf(bytes.subarray(at + 124, at + 136)), 8) || 0;
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return names;
}

async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
