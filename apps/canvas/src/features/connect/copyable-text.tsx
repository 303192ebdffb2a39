"use client";
import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "../../ui/button.tsx";

export interface CopyableTextProps {
  label: string;
  text: string;
  /** Keeps its line breaks and scrolls. */
  isBlock?: boolean;
  onCopied?: (() => void) | undefined;
}

/** A text in full with its name and a button that copies it. */
export function CopyableText({ label, text, isBlock = false, onCopied }: CopyableTextProps) {
  const [copied, setCopied] = useState<string | null>(null);
  const isCopied = copied === text;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(text);
    onCopied?.();
  };
  const Icon = isCopied ? Check : Copy;
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <div className="flex items-center justify-between">
        <span className="text-sm font-medium text-ink">{label}</span>
        <Button
          variant="ghost"
          size="sm"
          aria-label={isCopied ? `${label} copied` : `Copy ${label}`}
          icon={<Icon size={13} aria-hidden="true" />}
          onClick={() => void copy()}
        >
          {isCopied ? "Copied" : "Copy"}
        </Button>
      </div>
      {/* Scrolls, so the keyboard has to reach it. */}
      <pre
        tabIndex={isBlock ? 0 : undefined}
        className={`overflow-auto rounded-md border bg-page px-3 py-2 font-mono text-xs text-ink select-text ${isBlock ? "max-h-72 whitespace-pre" : "whitespace-pre-wrap break-all"}`}
      >
        {text}
      </pre>
    </div>
  );
}
