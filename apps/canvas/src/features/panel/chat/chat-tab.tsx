"use client";
import { useEffect, useEffectEvent, useRef } from "react";
import { takeFirstMessage } from "../../create/first-message.ts";
import { useNode } from "../../store/node-store.tsx";
import { useChatSender } from "../state/panel-provider.tsx";
import { Composer } from "./composer.tsx";
import { MessageList } from "./message-list.tsx";
import { StartNote } from "./start-note.tsx";
import { Starters } from "./starters.tsx";
import { useChat } from "./use-chat.ts";

/** The conversation with one agent. */
export function ChatTab({ workspaceId, isShown }: { workspaceId: string; isShown: boolean }) {
  const node = useNode(workspaceId);
  const chat = useChat(workspaceId, isShown);
  const sender = useChatSender();
  const composer = useRef<HTMLTextAreaElement>(null);
  const isKnown = node !== undefined;
  const send = (text: string) => sender.send(workspaceId, text);

  // The prompt of the create sheet is sent like a typed message, once the agent exists.
  const sendFirst = useEffectEvent(() => {
    const text = takeFirstMessage(workspaceId);
    if (text !== null) sender.send(workspaceId, text);
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the workspace is the trigger.
  useEffect(() => {
    if (isKnown) sendFirst();
  }, [isKnown, workspaceId]);

  const name = node?.name ?? "the agent";
  const isEmpty = chat.items.length === 0 && !chat.isLoading && chat.problem === null;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <MessageList
        workspaceId={workspaceId}
        chat={chat}
        agentName={name}
        currentTask={node?.currentTask ?? ""}
        empty={isEmpty ? <Starters workspaceId={workspaceId} name={name} onChoose={send} /> : null}
        footer={<StartNote workspaceId={workspaceId} hasMessages={!isEmpty} />}
      />
      <Composer
        workspaceId={workspaceId}
        name={name}
        status={node?.status ?? "online"}
        field={composer}
        onSend={send}
        isWorking={chat.isWorking}
        taskId={chat.taskId}
      />
    </div>
  );
}
