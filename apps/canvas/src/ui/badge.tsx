import clsx from "clsx";
import type { ReactNode } from "react";

const TONES = {
  neutral: "bg-raised text-muted",
  info: "bg-tint text-focus",
  warn: "bg-warn-tint text-warn",
  danger: "bg-danger-tint text-danger",
} as const;

/** A short fact in a pill. */
export function Badge(props: {
  tone?: keyof typeof TONES;
  className?: string;
  title?: string;
  children: ReactNode;
}) {
  return (
    <span
      title={props.title}
      className={clsx(
        "inline-flex h-5 shrink-0 items-center gap-1 rounded-full px-2 text-xs whitespace-nowrap",
        TONES[props.tone ?? "neutral"],
        props.className,
      )}
    >
      {props.children}
    </span>
  );
}
