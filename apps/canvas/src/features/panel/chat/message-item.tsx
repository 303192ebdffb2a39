"use client";
import { STOPPED_SENTENCE } from "@molecule/domain/delivery";
import { isScheduleMessageId } from "@molecule/domain/schedule";
import clsx from "clsx";
import { CalendarClock, Clock, Paperclip, RotateCw, TriangleAlert } from "lucide-react";
import { lazy, memo, Suspense } from "react";
import { Button } from "../../../ui/button.tsx";
import { formatTime } from "../../clock/format.ts";
import { useChatSender } from "../state/panel-provider.tsx";
import { fullTimeText } from "../text/time-text.ts";
import type { ThreadItem } from "./model/thread.ts";
import { ToolRows } from "./tool-rows.tsx";
import { useCancelTurn } from "./use-cancel-turn.ts";
import { useRetryAnswer } from "./use-retry-answer.ts";

const ChatMarkdown = lazy(async () => {
  const loaded = await import("./chat-markdown.tsx");
  return { default: loaded.ChatMarkdown };
});

export interface MessageItemProps {
  workspaceId: string;
  item: ThreadItem;
  agentName: string;
  currentTask: string;
  /** The newest message that waits, so that it can be taken back. */
  isNewestQueued: boolean;
}

/** One message of the thread. */
export const MessageItem = memo(function MessageItem(props: MessageItemProps) {
  return props.item.role === "person" ? <PersonMessage {...props} /> : <AgentMessage {...props} />;
});

function PersonMessage({ workspaceId, item, agentName, isNewestQueued }: MessageItemProps) {
  return (
    <div className="flex flex-col items-end gap-1">
      <p
        className={clsx(
          "max-w-[86%] rounded-xl rounded-br-sm bg-raised px-3 py-2 text-sm whitespace-pre-wrap text-ink select-text [overflow-wrap:anywhere]",
          item.state === "queued" && "border border-dashed border-line-strong bg-transparent",
          item.state === "failed" && "border border-danger/50 bg-danger-tint",
        )}
      >
        {item.text}
      </p>
      {item.state === "failed" ? (
        <FailedSend workspaceId={workspaceId} item={item} />
      ) : (
        <p className="flex items-center gap-1.5 px-1 text-xs text-muted">
          {isScheduleMessageId(item.key) ? (
            <>
              <CalendarClock size={12} aria-hidden="true" />
              {item.author} ·
            </>
          ) : null}
          {item.state === "queued" ? (
            <>
              <Clock size={12} aria-hidden="true" />
              Queued until {agentName} is ready
              {isNewestQueued ? <TakeBack workspaceId={workspaceId} /> : null}
            </>
          ) : item.at === null ? (
            "Sending"
          ) : (
            <Time at={item.at} />
          )}
        </p>
      )}
    </div>
  );
}

function TakeBack({ workspaceId }: { workspaceId: string }) {
  const cancel = useCancelTurn();
  return (
    <Button
      size="sm"
      variant="ghost"
      className="-my-1"
      isBusy={cancel.isPending}
      onClick={() => cancel.mutate({ workspaceId })}
    >
      Take back
    </Button>
  );
}

function FailedSend({ workspaceId, item }: { workspaceId: string; item: ThreadItem }) {
  const sender = useChatSender();
  const retryAnswer = useRetryAnswer();
  const { retryMessageId, retryActivityId } = item;
  return (
    <div role="alert" className="flex max-w-[86%] items-center gap-2 px-1 text-xs">
      <p className="min-w-0 text-right text-danger">
        {item.error} {item.next === null ? null : <span className="text-muted">{item.next}</span>}
      </p>
      {retryMessageId === null ? null : (
        <>
          <Button
            size="sm"
            icon={<RotateCw size={12} aria-hidden="true" />}
            onClick={() => sender.retry(workspaceId, retryMessageId)}
          >
            Retry
          </Button>
          <Button
            size="sm"
            variant="ghost"
            onClick={() => sender.forget(workspaceId, [retryMessageId])}
          >
            Discard
          </Button>
        </>
      )}
      {retryActivityId === null ? null : (
        <Button
          size="sm"
          isBusy={retryAnswer.isPending}
          icon={<RotateCw size={12} aria-hidden="true" />}
          onClick={() => retryAnswer.mutate({ activityId: retryActivityId })}
        >
          Retry
        </Button>
      )}
    </div>
  );
}

function AgentMessage({ item, agentName, currentTask }: MessageItemProps) {
  const isWorking = item.state === "working";
  return (
    <article
      aria-label={`${agentName} answered`}
      aria-busy={isWorking}
      className="flex flex-col gap-1.5"
    >
      <p className="flex items-baseline gap-2 text-xs text-muted">
        <span className="font-medium text-ink">{item.author === "" ? agentName : item.author}</span>
        {item.at === null ? null : <Time at={item.at} />}
      </p>
      <ToolRows tools={item.tools} isWorking={isWorking} />
      {item.text === "" ? null : (
        <div className="select-text">
          <Suspense fallback={<p className="text-sm whitespace-pre-wrap">{item.text}</p>}>
            <ChatMarkdown text={item.text} />
          </Suspense>
        </div>
      )}
      <Attachments item={item} />
      {isWorking ? <Working note={item.note === "" ? currentTask : item.note} /> : null}
      {item.state === "canceled" ? (
        <p className="text-xs text-muted">{item.note === "" ? STOPPED_SENTENCE : item.note}</p>
      ) : null}
      {item.state === "failed" ? <FailedAnswer item={item} /> : null}
    </article>
  );
}

function Working({ note }: { note: string }) {
  return (
    <p className="flex items-center gap-2 text-sm text-muted">
      <span className="inline-flex gap-1" aria-hidden="true">
        {[0, 1, 2].map((dot) => (
          <span
            key={dot}
            className="size-1.5 animate-skeleton rounded-full bg-muted"
            style={{ animationDelay: `${dot * 200}ms` }}
          />
        ))}
      </span>
      <span className="min-w-0 truncate">{note === "" ? "Working" : note}</span>
    </p>
  );
}

function FailedAnswer({ item }: { item: ThreadItem }) {
  const retryAnswer = useRetryAnswer();
  const { retryActivityId } = item;
  return (
    <div
      role="alert"
      className="flex items-start gap-2.5 rounded-lg border border-danger/40 bg-danger-tint px-3 py-2 text-sm"
    >
      <TriangleAlert size={15} className="mt-0.5 shrink-0 text-danger" aria-hidden="true" />
      <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">{item.error}</p>
      {retryActivityId === null ? null : (
        <Button
          size="sm"
          isBusy={retryAnswer.isPending}
          icon={<RotateCw size={12} aria-hidden="true" />}
          onClick={() => retryAnswer.mutate({ activityId: retryActivityId })}
        >
          Retry
        </Button>
      )}
    </div>
  );
}

function Attachments({ item }: { item: ThreadItem }) {
  if (item.attachments.length === 0) return null;
  return (
    <ul className="flex flex-wrap gap-1.5">
      {item.attachments.map((file) => (
        <li
          key={file.uri}
          title={file.uri}
          className="flex items-center gap-1.5 rounded-md border px-2 py-1 text-xs text-muted"
        >
          <Paperclip size={12} aria-hidden="true" />
          {file.name}
        </li>
      ))}
    </ul>
  );
}

function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={fullTimeText(at)}>
      {formatTime(Date.parse(at))}
    </time>
  );
}
