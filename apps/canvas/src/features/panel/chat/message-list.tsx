"use client";
import { ArrowDown, RotateCw } from "lucide-react";
import { Fragment, type ReactNode, useEffect, useRef } from "react";
import { Button } from "../../../ui/button.tsx";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { useClock } from "../../clock/clock.tsx";
import { dayKey, dayText } from "../text/time-text.ts";
import { MessageItem } from "./message-item.tsx";
import type { ThreadItem } from "./model/thread.ts";
import type { Chat } from "./use-chat.ts";
import { useStickToBottom } from "./use-stick-to-bottom.ts";

export interface MessageListProps {
  workspaceId: string;
  chat: Chat;
  agentName: string;
  /** What the agent says it is doing; shown where its answer will be. */
  currentTask: string;
  /** Shown instead of messages; null when there are some. */
  empty: ReactNode;
  /** Shown after the last message. */
  footer: ReactNode;
}

/** The scrolled thread: opens at its end, loads older pages at its top. */
export function MessageList(props: MessageListProps) {
  const { workspaceId, chat, agentName, currentTask, empty, footer } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const newestQueued = chat.items.findLast((item) => item.state === "queued")?.key;
  const { isAway, toBottom } = useStickToBottom(scroller, content, chat.items[0]?.key);
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        // A scrolled region without focusable content must take the keyboard itself.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: WCAG 2.1.1 for scrollable regions.
        tabIndex={0}
        role="log"
        aria-label={`Messages with ${agentName}`}
        className="h-full overflow-y-auto [overflow-anchor:none] focus-visible:-outline-offset-2"
      >
        <div ref={content} className="flex min-h-full flex-col px-4 pt-4 pb-2">
          {chat.hasOlder ? <OlderLoader chat={chat} scroller={scroller} /> : null}
          {chat.isLoading ? <ChatSkeleton /> : null}
          {empty}
          <div className="flex flex-col gap-4">
            {chat.items.map((item, index) => (
              <Fragment key={item.key}>
                <DayLine item={item} before={chat.items[index - 1]} />
                <MessageItem
                  workspaceId={workspaceId}
                  item={item}
                  agentName={agentName}
                  currentTask={currentTask}
                  isNewestQueued={item.key === newestQueued}
                />
              </Fragment>
            ))}
          </div>
          {footer}
        </div>
      </div>
      {chat.problem === null ? null : <LoadProblem chat={chat} />}
      {isAway ? (
        <Button
          size="sm"
          className="absolute bottom-2 left-1/2 -translate-x-1/2 rounded-full shadow-lift"
          icon={<ArrowDown size={14} aria-hidden="true" />}
          onClick={toBottom}
        >
          Latest
        </Button>
      ) : null}
    </div>
  );
}

/** What was loaded before stays below this line. */
function LoadProblem({ chat }: { chat: Chat }) {
  return (
    <div
      role="alert"
      className="absolute inset-x-0 top-0 flex items-center gap-3 border-b bg-card px-4 py-2 text-sm"
    >
      <p className="min-w-0 flex-1">
        <span className="text-danger">Messages could not be loaded. </span>
        <span className="text-muted">{chat.problem?.sentence}</span>
      </p>
      <Button size="sm" icon={<RotateCw size={13} aria-hidden="true" />} onClick={chat.retryLoad}>
        Retry
      </Button>
    </div>
  );
}

/** Loads the next older page when it comes near the visible part; also a button for the keyboard. */
function OlderLoader(props: { chat: Chat; scroller: React.RefObject<HTMLDivElement | null> }) {
  const { chat, scroller } = props;
  const mark = useRef<HTMLDivElement>(null);
  const { loadOlder, isLoadingOlder } = chat;
  const load = useRef(loadOlder);
  useEffect(() => {
    load.current = loadOlder;
  });
  useEffect(() => {
    if (mark.current === null || isLoadingOlder) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) load.current();
      },
      { root: scroller.current, rootMargin: "320px 0px 0px 0px" },
    );
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, [scroller, isLoadingOlder]);
  return (
    <div ref={mark} className="flex h-9 justify-center pb-2">
      <Button variant="ghost" size="sm" isBusy={isLoadingOlder} onClick={loadOlder}>
        {isLoadingOlder ? "Loading older messages" : "Older messages"}
      </Button>
    </div>
  );
}

function DayLine({ item, before }: { item: ThreadItem; before: ThreadItem | undefined }) {
  const clock = useClock();
  if (item.at === null) return null;
  const isNewDay =
    before === undefined || before.at === null || dayKey(before.at) !== dayKey(item.at);
  if (!isNewDay) return null;
  return (
    <div className="flex items-center gap-3 text-xs text-muted">
      <span className="h-px flex-1 bg-line" />
      {dayText(item.at, clock.nowMs())}
      <span className="h-px flex-1 bg-line" />
    </div>
  );
}

function ChatSkeleton() {
  return (
    <AfterDelay>
      <div role="status" className="flex flex-col gap-4">
        <span className="sr-only">Loading messages</span>
        <Skeleton className="h-12 w-3/5 self-end rounded-xl" />
        <Skeleton className="h-20 w-4/5" />
        <Skeleton className="h-10 w-2/5 self-end rounded-xl" />
      </div>
    </AfterDelay>
  );
}
