/** Where this machine gets its own Debian packages from. */
export interface DebianSource {
  /** Release codename, "bookworm". */
  readonly suite: string;
  /** Base address of the mirror. */
  readonly mirror: string;
  /** Key ring that signs it; null for the tool's default. */
  readonly keyring: string | null;
}

/** The release's codename in an `os-release` file; null when it names none. */
export function codenameOf(osRelease: string): string | null {
  return /^VERSION_CODENAME="?([a-z][a-z0-9-]*)"?\s*$/m.exec(osRelease)?.[1] ?? null;
}

/**
 * The first package source for exactly this release with the component `main`, from the contents of
 * apt's files in either of its formats; null when there is none. Source: sources.list(5).
 */
export function findDebianSource(
  suite: string,
  files: readonly { readonly name: string; readonly content: string }[],
): DebianSource | null {
  for (const { name, content } of files) {
    const stanzas = name.endsWith(".sources") ? deb822Stanzas(content) : lineStanzas(content);
    for (const stanza of stanzas) {
      const mirror = stanza.uris.find((uri) => /^https?:\/\//.test(uri));
      const isUsable =
        stanza.isBinary &&
        mirror !== undefined &&
        stanza.suites.includes(suite) &&
        stanza.components.includes("main");
      if (isUsable) return { suite, mirror, keyring: stanza.keyring };
    }
  }
  return null;
}

interface Stanza {
  readonly isBinary: boolean;
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly keyring: string | null;
}

const words = (text: string | undefined): string[] => text?.trim().split(/\s+/) ?? [];
const keyringOf = (text: string | undefined): string | null =>
  text?.trim().startsWith("/") ? (words(text)[0] ?? null) : null;

function deb822Stanzas(content: string): Stanza[] {
  return content
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .split(/\n\s*\n/)
    .map((block) => {
      const fields = new Map<string, string>();
      for (const match of block.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
        fields.set((match[1] ?? "").toLowerCase(), (match[2] ?? "").replaceAll("\n", " "));
      }
      const isEnabled = fields.get("enabled")?.trim().toLowerCase() !== "no";
      return {
        isBinary: isEnabled && words(fields.get("types")).includes("deb"),
        uris: words(fields.get("uris")),
        suites: words(fields.get("suites")),
        components: words(fields.get("components")),
        keyring: keyringOf(fields.get("signed-by")),
      };
    });
}

function lineStanzas(content: string): Stanza[] {
  return content.split("\n").flatMap((line) => {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim());
    if (match === null) return [];
    const [, options, uri, suite, components] = match;
    return [
      {
        isBinary: true,
        uris: [uri ?? ""],
        suites: [suite ?? ""],
        components: words((components ?? "").replace(/#.*$/, "")),
        keyring: keyringOf(/signed-by=(\S+)/.exec(options ?? "")?.[1]),
      },
    ];
  });
}
