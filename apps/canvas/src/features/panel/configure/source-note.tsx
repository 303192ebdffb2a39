import type { ConfigDocument } from "@molecule/contracts/panel";

type Source = ConfigDocument["sources"]["model"];

const TEXTS: Readonly<Record<Source, string | null>> = {
  workspace: null,
  template: "from the template",
  organisation: "from the organisation",
  default: "default",
};

/** Where the value of a field comes from, at the end of its line; nothing for the workspace's own. */
export function SourceNote({ source }: { source: Source }) {
  const text = TEXTS[source];
  return text === null ? null : <span className="text-xs text-muted">{text}</span>;
}
