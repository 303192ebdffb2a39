"use client";
import { Check, Copy } from "lucide-react";
import { type ComponentProps, memo, useRef, useState } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { IconButton } from "../../../ui/button.tsx";
import { safeHref } from "./model/safe-href.ts";

/** How long the copy button says that it copied. */
const COPIED_MS = 1500;

const COMPONENTS: Components = {
  a: ({ href, children }) =>
    href === undefined || href === "" ? (
      <span>{children}</span>
    ) : (
      <a
        href={href}
        target="_blank"
        rel="noopener noreferrer nofollow"
        className="text-focus underline decoration-focus/40 underline-offset-2 hover:decoration-focus"
      >
        {children}
      </a>
    ),
  // An image would be fetched from wherever the agent says; its address is shown instead.
  img: ({ src, alt }) => (
    <span className="text-muted">
      [image{alt === undefined || alt === "" ? "" : `: ${alt}`}
      {typeof src === "string" && src !== "" ? ` · ${src}` : ""}]
    </span>
  ),
  pre: CodeBlock,
  code: ({ children }) => (
    <code className="rounded bg-raised px-1 py-px font-mono text-xs">{children}</code>
  ),
  table: ({ children }) => (
    <div className="overflow-x-auto">
      <table>{children}</table>
    </div>
  ),
};

const PROSE = [
  "min-w-0 text-sm leading-[21px] text-ink [overflow-wrap:anywhere] [&>*+*]:mt-2.5",
  "[&_h1]:text-md [&_h1]:font-semibold [&_h2]:text-md [&_h2]:font-semibold [&_h3]:font-semibold [&_h4]:font-semibold",
  "[&_ul]:list-disc [&_ul]:pl-5 [&_ol]:list-decimal [&_ol]:pl-5 [&_li+li]:mt-1 [&_li::marker]:text-muted [&_li>p+p]:mt-1.5",
  "[&_.contains-task-list]:list-none [&_.contains-task-list]:pl-1 [&_input]:mr-1.5 [&_input]:align-[-2px]",
  "[&_blockquote]:border-l-2 [&_blockquote]:border-line-strong [&_blockquote]:pl-3 [&_blockquote]:text-muted",
  "[&_hr]:border-line [&_th]:border-b [&_th]:border-line-strong [&_th]:px-2 [&_th]:py-1 [&_th]:text-left [&_th]:font-medium [&_td]:border-b [&_td]:px-2 [&_td]:py-1 [&_td]:align-top",
  "[&_pre_code]:bg-transparent [&_pre_code]:p-0",
].join(" ");

/**
 * Text of an agent as formatted text. Raw HTML is dropped, images are named and never fetched, and
 * only web and mail links are links. Half-finished markdown is fine.
 */
export const ChatMarkdown = memo(function ChatMarkdown({ text }: { text: string }) {
  return (
    <div className={PROSE}>
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        skipHtml
        urlTransform={safeHref}
        components={COMPONENTS}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
});

function CodeBlock({ children }: ComponentProps<"pre">) {
  const block = useRef<HTMLPreElement>(null);
  const [isCopied, setIsCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(block.current?.textContent ?? "");
    setIsCopied(true);
    setTimeout(() => setIsCopied(false), COPIED_MS);
  };
  return (
    <div className="group/code relative">
      <pre
        ref={block}
        className="overflow-x-auto rounded-lg border bg-page px-3 py-2.5 font-mono text-xs leading-[18px] whitespace-pre [overflow-wrap:normal]"
      >
        {children}
      </pre>
      <IconButton
        label={isCopied ? "Copied" : "Copy code"}
        size="sm"
        className="absolute top-1 right-1 bg-page opacity-0 group-hover/code:opacity-100 focus-visible:opacity-100"
        onClick={() => void copy()}
      >
        {isCopied ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />}
      </IconButton>
    </div>
  );
}
