"use client";
import { Check, Copy, RotateCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { ReadProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Logo } from "./logo.tsx";

const LINK_COMMAND = "npm run link";

/** Nobody is signed in: says how to get a link. */
export function SignedOut() {
  return (
    <FullScreen title="Sign in to Molecule">
      <p>
        Run this where Molecule was started, then open the link that it prints. A link works once,
        for 15 minutes.
      </p>
      <CopyCommand command={LINK_COMMAND} />
      <Button
        className="mt-2"
        icon={<RotateCw size={14} aria-hidden="true" />}
        onClick={() => window.location.reload()}
      >
        I am signed in, try again
      </Button>
    </FullScreen>
  );
}

function CopyCommand({ command }: { command: string }) {
  const [isCopied, setIsCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(command);
    setIsCopied(true);
  };
  return (
    <div className="mt-2 flex w-full items-center gap-2 rounded-lg border border-line-strong bg-page py-1.5 pr-1.5 pl-3.5 text-left">
      <code className="flex-1 font-mono text-sm text-ink select-all">{command}</code>
      <Button
        variant="ghost"
        size="sm"
        aria-label={isCopied ? "Copied" : "Copy the command"}
        icon={
          isCopied ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />
        }
        onClick={() => void copy()}
      >
        {isCopied ? "Copied" : "Copy"}
      </Button>
    </div>
  );
}

/** The platform does not answer, or says that it cannot: what happened, and that it is tried again. */
export function Unavailable({ problem, onRetry }: { problem: ReadProblem; onRetry: () => void }) {
  return (
    <FullScreen title="Molecule is not available">
      <p role="alert">
        {problem.sentence} {problem.next}
      </p>
      <p>Your agents keep running. This page tries again by itself.</p>
      <Button
        variant="primary"
        className="mt-2"
        icon={<RotateCw size={14} aria-hidden="true" />}
        onClick={onRetry}
      >
        Try now
      </Button>
      {problem.requestId === undefined ? null : (
        <p className="font-mono text-xs select-text">request {problem.requestId}</p>
      )}
    </FullScreen>
  );
}

function FullScreen({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="flex h-dvh items-center justify-center bg-page p-6">
      <div className="flex w-full max-w-96 animate-enter flex-col items-center gap-3 text-center text-sm text-balance text-muted">
        <div className="mb-2 text-ink">
          <Logo size={36} />
        </div>
        <h1 className="text-lg font-semibold text-ink">{title}</h1>
        {children}
      </div>
    </main>
  );
}
