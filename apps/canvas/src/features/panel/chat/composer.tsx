"use client";
import type { WorkspaceStatus } from "@molecule/domain/sets";
import { ArrowUp, Square } from "lucide-react";
import type { KeyboardEvent, RefObject } from "react";
import { Button, IconButton } from "../../../ui/button.tsx";
import { useComposerFocusRequest } from "../../commands/composer-focus.ts";
import { usePanelMemory, useUpdateMemory } from "../state/panel-provider.tsx";
import { useCancelTurn } from "./use-cancel-turn.ts";

export interface ComposerProps {
  workspaceId: string;
  name: string;
  status: WorkspaceStatus;
  field: RefObject<HTMLTextAreaElement | null>;
  onSend: (text: string) => void;
  isWorking: boolean;
  /** Task that Stop cancels; null lets the platform find it. */
  taskId: string | null;
}

/** Where a message is written. Never disabled; what is typed survives tabs, selection and reload. */
export function Composer(props: ComposerProps) {
  const { workspaceId, name, status, field, onSend, isWorking, taskId } = props;
  const text = usePanelMemory(workspaceId, (memory) => memory.composer);
  const update = useUpdateMemory(workspaceId);
  const setText = (composer: string) => update((memory) => ({ ...memory, composer }));
  useComposerFocusRequest(() => field.current?.focus());

  const submit = () => {
    const message = text.trim();
    if (message === "") return;
    setText("");
    onSend(message);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Leaves the field, so that the next Escape closes the layer below it.
    if (event.key === "Escape") event.currentTarget.blur();
    // Enter that ends the choice of an input method belongs to the input method.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  return (
    <form
      className="px-4 pt-1 pb-[max(12px,env(safe-area-inset-bottom))]"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="flex items-end gap-1.5 rounded-xl border border-control/60 bg-card p-1.5 pl-3 transition-colors duration-[120ms] focus-within:border-focus hover:border-control">
        <textarea
          ref={field}
          aria-label={`Message ${name}`}
          aria-describedby="composer-hint"
          placeholder={`Message ${name}`}
          rows={1}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          className="field-sizing-content max-h-48 min-h-8 flex-1 resize-none bg-transparent py-1.5 text-sm text-ink outline-none pointer-coarse:min-h-11 pointer-coarse:py-2.5 pointer-coarse:text-md"
        />
        {isWorking ? <StopButton workspaceId={workspaceId} taskId={taskId} /> : null}
        <IconButton
          label="Send"
          keys="Enter"
          type="submit"
          aria-disabled={text.trim() === ""}
          className={
            text.trim() === ""
              ? "rounded-lg"
              : "rounded-lg bg-action text-action-ink hover:bg-action-hover hover:text-action-ink"
          }
        >
          <ArrowUp size={16} aria-hidden="true" />
        </IconButton>
      </div>
      <p id="composer-hint" className="px-1 pt-1.5 text-xs text-muted">
        {hintFor(status, name)}
      </p>
    </form>
  );
}

function StopButton({ workspaceId, taskId }: { workspaceId: string; taskId: string | null }) {
  const cancel = useCancelTurn();
  return (
    <Button
      size="md"
      isBusy={cancel.isPending}
      icon={<Square size={11} fill="currentColor" aria-hidden="true" />}
      onClick={() => cancel.mutate({ workspaceId, ...(taskId === null ? {} : { taskId }) })}
    >
      Stop
    </Button>
  );
}

function hintFor(status: WorkspaceStatus, name: string): string {
  switch (status) {
    case "provisioning":
      return `${name} is starting. What you send now is delivered when it is ready.`;
    case "hibernating":
    case "hibernated":
      return `${name} is asleep. What you send wakes it.`;
    case "paused":
      return `${name} takes no messages until it is resumed.`;
    case "failed":
      return `${name} did not start and takes no messages until it does.`;
    case "offline":
    case "awaiting_agent":
      return `${name} cannot be reached right now. What you send is delivered when it is back.`;
    default:
      return "Enter sends, Shift+Enter starts a new line";
  }
}
