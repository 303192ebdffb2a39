"use client";
import { Copy } from "lucide-react";
import { toast } from "sonner";
import { IconButton } from "../../../ui/button.tsx";

export interface CopyableProps {
  text: string;
  /** Names the button. */
  label: string;
  /** Put in the clipboard; absent: the text itself. */
  copied?: string;
}

/** An identifier in one line, whole in its tooltip, and a button that copies it. */
export function Copyable({ text, label, copied = text }: CopyableProps) {
  const copy = async () => {
    await navigator.clipboard.writeText(copied);
    toast("Copied");
  };
  return (
    <span className="flex min-w-0 items-center gap-1">
      <code title={copied} className="min-w-0 truncate font-mono text-xs select-text">
        {text}
      </code>
      <IconButton label={label} size="sm" className="-my-1.5" onClick={() => void copy()}>
        <Copy size={13} aria-hidden="true" />
      </IconButton>
    </span>
  );
}
