import clsx from "clsx";
import type { ComponentProps, ReactNode } from "react";
import { Tooltip } from "./tooltip.tsx";

export type ButtonVariant = "primary" | "secondary" | "ghost" | "danger";
export type ButtonSize = "sm" | "md";

const VARIANTS: Record<ButtonVariant, string> = {
  primary: "bg-action text-action-ink hover:bg-action-hover",
  secondary: "border border-line-strong bg-card text-ink hover:bg-raised",
  ghost: "text-muted hover:bg-hover hover:text-ink",
  danger: "bg-danger-solid text-danger-ink hover:opacity-90",
};
const SIZES: Record<ButtonSize, string> = {
  sm: "h-7 gap-1.5 px-2.5 text-xs pointer-coarse:h-11",
  md: "h-8 gap-2 px-3 text-sm pointer-coarse:h-11",
};

export interface ButtonProps extends ComponentProps<"button"> {
  variant?: ButtonVariant;
  size?: ButtonSize;
  /** Shown before the text. */
  icon?: ReactNode;
  /** The action runs: the button is disabled and says so to a screen reader. */
  isBusy?: boolean;
}

/** A button with text. Its type is `button` unless told otherwise, so that it never submits by accident. */
export function Button(props: ButtonProps) {
  const {
    variant = "secondary",
    size = "md",
    icon,
    isBusy = false,
    className,
    children,
    ...rest
  } = props;
  return (
    <button
      type="button"
      aria-busy={isBusy || undefined}
      {...rest}
      disabled={rest.disabled === true || isBusy}
      className={clsx(
        "inline-flex shrink-0 select-none items-center justify-center rounded-md font-medium whitespace-nowrap transition-[background-color,color,opacity] duration-[120ms] disabled:opacity-50",
        VARIANTS[variant],
        SIZES[size],
        className,
      )}
    >
      {icon}
      {children}
    </button>
  );
}

export interface IconButtonProps extends ComponentProps<"button"> {
  /** The accessible name, also shown as a tooltip. */
  label: string;
  /** Keys shown in the tooltip. */
  keys?: string;
  size?: "sm" | "md";
}

/** A square button that shows only an icon; its name is the tooltip. */
export function IconButton({ label, keys, size = "md", className, ...rest }: IconButtonProps) {
  return (
    <Tooltip label={label} {...(keys === undefined ? {} : { keys })}>
      <button
        type="button"
        aria-label={label}
        {...rest}
        className={clsx(
          "inline-flex shrink-0 select-none items-center justify-center rounded-md text-muted transition-[background-color,color] duration-[120ms] hover:bg-hover hover:text-ink disabled:opacity-50 data-[state=open]:bg-hover data-[state=open]:text-ink pointer-coarse:size-11",
          size === "sm" ? "size-7" : "size-8",
          className,
        )}
      />
    </Tooltip>
  );
}
