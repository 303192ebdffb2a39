"use client";
import type { SweepHoldView } from "@molecule/contracts/sweeps";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTRPC } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Ago } from "../clock/moving-time.tsx";
import { useOrganisation } from "../store/node-store.tsx";
import { holdText } from "./hold-text.ts";

/** A sweep's question with exactly what it is about, and both answers with what they do. */
export function HoldDialog({ hold, onClose }: { hold: SweepHoldView; onClose: () => void }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const isOwner = useOrganisation()?.member.role === "owner";
  const text = holdText(hold);
  // Answered, or not standing any more: either way what is listed is another one now.
  const onSettled = () => queryClient.invalidateQueries(trpc.sweeps.holds.queryFilter());
  const options = { onSuccess: onClose, onSettled };
  const confirm = useMutation(trpc.sweeps.confirm.mutationOptions(options));
  const dismiss = useMutation(trpc.sweeps.dismiss.mutationOptions(options));
  const error = confirm.error ?? dismiss.error;
  const isBusy = confirm.isPending || dismiss.isPending;
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={text.title}
      footer={
        isOwner ? (
          <>
            <Button
              data-initial-focus
              isBusy={isBusy}
              onClick={() => dismiss.mutate({ id: hold.id })}
            >
              {text.dismiss}
            </Button>
            <Button
              variant={text.isDanger ? "danger" : "primary"}
              isBusy={isBusy}
              onClick={() => confirm.mutate({ id: hold.id })}
            >
              {text.confirm}
            </Button>
          </>
        ) : (
          <Button onClick={onClose}>Close</Button>
        )
      }
    >
      <div className="flex flex-col gap-4 text-sm">
        {error === null ? null : <Problem error={error} />}
        <p className="text-ink">
          {hold.sentence}{" "}
          <span className="text-muted">
            Asked <Ago atMs={Date.parse(hold.since)} />
            {hold.decidedBy === null ? "" : `, left alone by ${hold.decidedBy}`}.
          </span>
        </p>
        {hold.removals.length === 0 ? null : <Removals removals={hold.removals} />}
        <ul className="flex list-disc flex-col gap-1 pl-4 text-muted marker:text-line-strong">
          <li>{hold.onDismiss}</li>
          <li>{hold.onConfirm}</li>
        </ul>
        {isOwner ? null : <p className="text-muted">Only the owner can decide this.</p>}
      </div>
    </Dialog>
  );
}

function Removals({ removals }: Pick<SweepHoldView, "removals">) {
  return (
    <ul
      aria-label="What would be removed"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key
      tabIndex={0}
      className="max-h-52 divide-y overflow-y-auto rounded-md border bg-page text-xs"
    >
      {removals.map((one) => (
        <li key={one.providerId} className="flex items-baseline gap-3 px-3 py-1.5">
          <span className="min-w-0 flex-1 truncate text-ink">
            {one.name ?? (
              <>
                Unknown: <code className="font-mono">{one.workspaceId.slice(0, 8)}</code>
              </>
            )}
          </span>
          <span className="shrink-0 text-muted" title={`Rule ${one.rule}`}>
            start #{one.attemptNo}
          </span>
          <code
            className="w-24 shrink-0 truncate text-right font-mono text-muted"
            title={one.providerId}
          >
            {one.providerId}
          </code>
        </li>
      ))}
    </ul>
  );
}

function Problem({ error }: { error: unknown }) {
  const { sentence, next } = readProblem(error);
  return (
    <p role="alert" className="rounded-md bg-danger-tint px-3 py-2 text-ink">
      {sentence} {next}
    </p>
  );
}
