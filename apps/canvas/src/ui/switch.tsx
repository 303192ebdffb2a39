import clsx from "clsx";

/** Something that is on or off, and changes at once. Its name says what. */
export function Switch(props: {
  label: string;
  isOn: boolean;
  isBusy?: boolean;
  onChange: (isOn: boolean) => void;
}) {
  const { label, isOn, isBusy = false, onChange } = props;
  return (
    <button
      type="button"
      role="switch"
      aria-checked={isOn}
      aria-label={label}
      aria-busy={isBusy || undefined}
      disabled={isBusy}
      onClick={() => onChange(!isOn)}
      className="inline-flex h-7 shrink-0 items-center disabled:opacity-60 pointer-coarse:h-11 pointer-coarse:px-1"
    >
      <span
        className={clsx(
          "flex h-[18px] w-8 items-center rounded-full border px-0.5 transition-colors duration-[120ms]",
          isOn ? "border-transparent bg-action" : "border-control/60 bg-raised",
        )}
      >
        <span
          className={clsx(
            "size-3 rounded-full transition-transform duration-[120ms]",
            isOn ? "translate-x-3.5 bg-action-ink" : "bg-muted",
          )}
        />
      </span>
    </button>
  );
}
