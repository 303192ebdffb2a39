import { Tooltip as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { Keys } from "./keys.tsx";

export interface TooltipProps {
  label: ReactNode;
  /** Keys shown after the label, as in `Ctrl+K`. */
  keys?: string;
  side?: "top" | "right" | "bottom" | "left";
  /** The one focusable element that the tooltip describes. */
  children: ReactNode;
}

/** Must be once above everything that shows tooltips. */
export function TooltipProvider({ children }: { children: ReactNode }) {
  return <Radix.Provider delayDuration={450}>{children}</Radix.Provider>;
}

/** Shows a short label beside its child on hover and on keyboard focus. */
export function Tooltip({ label, keys, side = "bottom", children }: TooltipProps) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 flex max-w-72 animate-fade items-center gap-2 rounded-md border border-line-strong bg-raised px-2 py-1 text-xs text-ink shadow-layer"
        >
          {label}
          {keys === undefined ? null : <Keys keys={keys} />}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
