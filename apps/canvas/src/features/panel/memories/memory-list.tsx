"use client";
import type { ShownMemory } from "@molecule/contracts/shown-memories";
import clsx from "clsx";
import { Trash2 } from "lucide-react";
import { useId, useState } from "react";
import { Badge } from "../../../ui/badge.tsx";
import { Button, IconButton } from "../../../ui/button.tsx";
import { Ago } from "../../clock/moving-time.tsx";
import { fullTimeText } from "../text/time-text.ts";
import { memoryTitle, SCOPE_WORDS } from "./model/memory-text.ts";

/** Texts with more are folded until they are opened, in characters and lines. */
const FOLDED_CHARS = 240;
const FOLDED_LINES = 4;

export interface MemoryListProps {
  workspaceId: string;
  memories: readonly ShownMemory[];
  /** There are more than these. */
  hasMore: boolean;
  /** What was looked for; empty: the newest are shown. */
  asked: string;
  /** The name of another agent whose memory this one reads; undefined when it is not known any more. */
  nameOf: (workspaceId: string) => string | undefined;
  /** The one that is being deleted. */
  removingId: string | null;
  onRemove: (memory: ShownMemory) => void;
}

/** Memories as a list to read; each of the agent's own can be deleted. */
export function MemoryList(props: MemoryListProps) {
  const { workspaceId, memories, hasMore, asked, nameOf, removingId, onRemove } = props;
  if (memories.length === 0) {
    return (
      <p role="status" className="text-sm text-muted wrap-anywhere">
        {asked === ""
          ? "None yet. What the agent keeps beyond a conversation is listed here."
          : `Nothing it remembers has a word of “${asked}”.`}
      </p>
    );
  }
  return (
    <>
      <ul aria-label="Memories" className="divide-y rounded-lg border">
        {memories.map((memory) => (
          <li key={memory.id}>
            <MemoryRow
              memory={memory}
              author={
                memory.authorId === workspaceId
                  ? null
                  : (nameOf(memory.authorId) ?? "another agent")
              }
              isRemoving={removingId === memory.id}
              onRemove={onRemove}
            />
          </li>
        ))}
      </ul>
      {hasMore ? (
        <p className="text-xs text-muted">
          {asked === "" ? "The newest" : "The best"} {memories.length}. Search for the others.
        </p>
      ) : null}
    </>
  );
}

interface MemoryRowProps {
  memory: ShownMemory;
  /** Null for the agent's own. */
  author: string | null;
  isRemoving: boolean;
  onRemove: (memory: ShownMemory) => void;
}

function MemoryRow({ memory, author, isRemoving, onRemove }: MemoryRowProps) {
  const [isAsked, setIsAsked] = useState(false);
  const [isOpen, setIsOpen] = useState(false);
  const textId = useId();
  const { content, scope, namespace, createdAt } = memory;
  const isLong = content.length > FOLDED_CHARS || content.split("\n").length > FOLDED_LINES;
  const title = memoryTitle(content);
  return (
    <article aria-label={title} className="flex flex-col gap-1.5 px-3 py-2">
      <div className="flex items-start gap-2">
        <p
          id={textId}
          className={clsx(
            "min-w-0 flex-1 text-sm whitespace-pre-wrap text-ink select-text wrap-anywhere",
            isLong && !isOpen ? "line-clamp-4" : "",
          )}
        >
          {content}
        </p>
        {author === null ? (
          <IconButton
            label={`Delete the memory “${title}”`}
            size="sm"
            onClick={() => setIsAsked(true)}
          >
            <Trash2 size={14} aria-hidden="true" />
          </IconButton>
        ) : null}
      </div>
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted">
        <Badge>{SCOPE_WORDS[scope]}</Badge>
        {author === null ? null : <span className="wrap-anywhere">from {author}</span>}
        {namespace === "general" ? null : <span className="wrap-anywhere">{namespace}</span>}
        <span title={fullTimeText(createdAt)}>
          <Ago atMs={Date.parse(createdAt)} />
        </span>
        {isLong ? (
          <Button
            size="sm"
            variant="ghost"
            aria-expanded={isOpen}
            aria-controls={textId}
            onClick={() => setIsOpen(!isOpen)}
          >
            {isOpen ? "Show less" : "Show all"}
          </Button>
        ) : null}
      </div>
      {isAsked ? (
        <div
          role="alert"
          className="flex flex-wrap items-center gap-2 rounded-md bg-danger-tint px-3 py-2"
        >
          <p className="min-w-40 flex-1 text-xs text-ink">
            Delete it? The agent does not know it any more, and it cannot be brought back.
          </p>
          <Button size="sm" variant="ghost" autoFocus onClick={() => setIsAsked(false)}>
            Keep
          </Button>
          <Button size="sm" variant="danger" isBusy={isRemoving} onClick={() => onRemove(memory)}>
            Delete
          </Button>
        </div>
      ) : null}
    </article>
  );
}
