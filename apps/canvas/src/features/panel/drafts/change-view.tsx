import { DiffView } from "./diff-view.tsx";

/** A value longer than this, or of several lines, is compared line by line. */
const INLINE_CHARS = 60;

export interface ChangeViewProps {
  label: string;
  kind: "setting" | "file" | "plugin" | "secret";
  /** Both sides; empty is "not set". */
  before: string;
  after: string;
  /** Said instead of the two values: of a secret, and of what is no text. */
  note?: string;
  /** Somebody else saved another value meanwhile. */
  isConflict?: boolean;
}

const KINDS = { setting: "Setting", file: "File", plugin: "Plugin", secret: "Secret" } as const;

/** One change: what it is about, and current → new. */
export function ChangeView(props: ChangeViewProps) {
  const { label, kind, before, after, note, isConflict = false } = props;
  return (
    <section className="flex flex-col gap-1.5">
      <h3 className="flex items-baseline gap-2 text-sm">
        <span className={kind === "setting" ? "font-medium" : "font-mono text-xs"}>{label}</span>
        <span className="text-xs text-muted">{KINDS[kind]}</span>
        {isConflict ? <span className="text-xs text-warn">changed elsewhere meanwhile</span> : null}
      </h3>
      {note !== undefined ? (
        <p className="text-sm text-muted">{note}</p>
      ) : isOneLine(props) ? (
        <p className="flex flex-wrap items-baseline gap-2 text-sm">
          <span className="text-muted line-through">{shown(kind, before)}</span>
          <span aria-label="becomes" role="img">
            →
          </span>
          <span className="min-w-0 text-ink [overflow-wrap:anywhere]">{shown(kind, after)}</span>
        </p>
      ) : (
        <DiffView before={before} after={after} />
      )}
    </section>
  );
}

const isShort = (text: string) => text.length <= INLINE_CHARS && !text.includes("\n");
const isOneLine = ({ kind, before, after }: ChangeViewProps) =>
  kind === "plugin" || (kind === "setting" && isShort(before) && isShort(after));
const NOTHING = { plugin: "not installed", setting: "not set", file: "", secret: "" } as const;
const shown = (kind: ChangeViewProps["kind"], value: string) =>
  value === "" ? NOTHING[kind] : value;
