"use client";
import clsx from "clsx";
import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef } from "react";

export interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  /** One sentence below the title. */
  description?: ReactNode;
  /** Buttons, at the end of the dialog and always visible. */
  footer?: ReactNode;
  /** `sheet` comes in at the right edge over its full height; `dialog` is centred. */
  kind?: "dialog" | "sheet";
  className?: string;
  children: ReactNode;
}

const KINDS = {
  dialog:
    "top-1/2 left-1/2 max-h-[min(85dvh,760px)] w-[calc(100vw-24px)] max-w-[480px] -translate-x-1/2 -translate-y-1/2 rounded-xl",
  sheet:
    "inset-y-0 right-0 w-full max-w-[520px] rounded-none sm:inset-y-2 sm:right-2 sm:rounded-xl",
};

/**
 * The one modal layer. Focus goes to the element marked `data-initial-focus`, else to the dialog itself; it is
 * trapped inside and returns to where it was. Escape closes.
 */
export function Dialog(props: DialogProps) {
  const {
    open,
    onOpenChange,
    title,
    description,
    footer,
    kind = "dialog",
    className,
    children,
  } = props;
  const content = useRef<HTMLDivElement>(null);
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <Radix.Content
          ref={content}
          onOpenAutoFocus={(event) => {
            // Focus belongs to what the dialog is for, not to its Close button.
            event.preventDefault();
            const first = content.current?.querySelector<HTMLElement>("[data-initial-focus]");
            (first ?? content.current)?.focus();
          }}
          {...(description === undefined ? { "aria-describedby": undefined } : {})}
          className={clsx(
            "fixed z-40 flex animate-fade flex-col overflow-hidden border border-line-strong bg-card shadow-layer focus-visible:outline-none",
            KINDS[kind],
            className,
          )}
        >
          <header className="flex items-start gap-3 px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-md font-semibold text-ink">{title}</Radix.Title>
              {description === undefined ? null : (
                <Radix.Description className="mt-0.5 text-sm text-muted">
                  {description}
                </Radix.Description>
              )}
            </div>
            <Radix.Close
              aria-label="Close"
              className="-mr-1.5 inline-flex size-7 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink pointer-coarse:size-11"
            >
              <X size={16} aria-hidden="true" />
            </Radix.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 pt-1 pb-5">{children}</div>
          {footer === undefined ? null : (
            <footer className="flex items-center justify-end gap-2 border-t bg-card px-5 py-3">
              {footer}
            </footer>
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
