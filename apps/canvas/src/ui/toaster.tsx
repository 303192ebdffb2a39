"use client";
import { Toaster as Sonner } from "sonner";

/** Where toasts appear. Show one with `toast` of `sonner`; keep them for undo and for failed actions. */
export function Toaster() {
  return (
    <Sonner
      position="bottom-center"
      duration={6000}
      gap={8}
      style={{ fontFamily: "inherit" }}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            "flex w-[min(420px,calc(100vw-24px))] items-center gap-3 rounded-lg border border-line-strong bg-raised px-3.5 py-2.5 text-sm text-ink shadow-layer",
          content: "min-w-0 flex-1",
          title: "font-medium",
          description: "text-muted",
          actionButton:
            "inline-flex h-7 shrink-0 items-center rounded-md border border-line-strong bg-card px-2.5 text-xs font-medium text-ink hover:bg-hover",
          error: "text-ink",
          icon: "shrink-0 text-muted",
        },
      }}
    />
  );
}
