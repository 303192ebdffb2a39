import clsx from "clsx";
import { ChevronDown } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { useId } from "react";

const CONTROL =
  "w-full rounded-md border border-control/60 bg-card px-2.5 text-sm text-ink transition-colors duration-[120ms] hover:border-control focus-visible:border-focus focus-visible:outline-1 focus-visible:outline-offset-0 disabled:opacity-60 aria-invalid:border-danger";

/** A one-line text field. */
export function Input({ className, ...rest }: ComponentProps<"input">) {
  return (
    <input
      {...rest}
      className={clsx(CONTROL, "h-8 pointer-coarse:h-11 pointer-coarse:text-md", className)}
    />
  );
}

/** A text field of several lines that grows with its text up to its `max-h`. */
export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return (
    <textarea
      {...rest}
      className={clsx(
        CONTROL,
        "field-sizing-content min-h-16 resize-none py-1.5 pointer-coarse:text-md",
        className,
      )}
    />
  );
}

/** A choice among few options; the list is the browser's, so that it works everywhere. */
export function Select({ className, ...rest }: ComponentProps<"select">) {
  return (
    <span className={clsx("relative block", className)}>
      <select
        {...rest}
        className={clsx(
          CONTROL,
          "h-8 appearance-none truncate pr-8 pointer-coarse:h-11 pointer-coarse:text-md",
        )}
      />
      <ChevronDown
        size={14}
        className="pointer-events-none absolute top-1/2 right-2.5 -translate-y-1/2 text-muted"
        aria-hidden="true"
      />
    </span>
  );
}

export interface FieldProps {
  label: ReactNode;
  /** One sentence below the control. */
  hint?: ReactNode;
  /** Replaces the hint and is announced. */
  error?: string | null;
  /** Shown at the end of the label's line. */
  aside?: ReactNode;
  className?: string;
  children: (ids: {
    id: string;
    "aria-describedby": string;
    "aria-invalid": boolean | undefined;
  }) => ReactNode;
}

/** A label, a control and its hint or error, wired together for assistive technology. */
export function Field({ label, hint, error, aside, className, children }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const hasError = error !== undefined && error !== null && error !== "";
  return (
    <div className={clsx("flex flex-col gap-1.5", className)}>
      <div className="flex min-h-5 items-center justify-between gap-2">
        <label htmlFor={id} className="text-sm font-medium text-ink">
          {label}
        </label>
        {aside}
      </div>
      {children({ id, "aria-describedby": noteId, "aria-invalid": hasError || undefined })}
      <p
        id={noteId}
        className={clsx("text-xs empty:hidden", hasError ? "text-danger" : "text-muted")}
        aria-live="polite"
      >
        {hasError ? error : hint}
      </p>
    </div>
  );
}
