"use client";
import type { ApprovalView } from "@molecule/contracts/approvals";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTRPC } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Until } from "../clock/moving-time.tsx";
import { useOrganisation } from "../store/node-store.tsx";
import { contextText } from "./approval-text.ts";

/** What an agent asks to be allowed, in its own words, and both answers. */
export function ApprovalDialog({
  approval,
  onClose,
}: {
  approval: ApprovalView;
  onClose: () => void;
}) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const mayDecide = useOrganisation()?.member.role !== "viewer";
  const decide = useMutation(
    trpc.approvals.decide.mutationOptions({
      onSuccess: onClose,
      // Answered, or answered by somebody else: either way what is listed is another one now.
      onSettled: () => queryClient.invalidateQueries(trpc.approvals.pending.queryFilter()),
    }),
  );
  const { workspaceId, id } = approval;
  const answer = (decision: "approved" | "denied") => decide.mutate({ workspaceId, id, decision });
  const context = contextText(approval.context);
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`${approval.workspaceName} asks for your approval`}
      footer={
        mayDecide ? (
          <>
            <Button data-initial-focus isBusy={decide.isPending} onClick={() => answer("denied")}>
              Deny
            </Button>
            <Button variant="primary" isBusy={decide.isPending} onClick={() => answer("approved")}>
              Approve
            </Button>
          </>
        ) : (
          <Button onClick={onClose}>Close</Button>
        )
      }
    >
      <div className="flex flex-col gap-4 text-sm">
        {decide.error === null ? null : <Problem error={decide.error} />}
        <p className="whitespace-pre-wrap break-words font-medium text-ink">{approval.action}</p>
        {approval.reason === "" ? null : (
          <p className="whitespace-pre-wrap break-words text-ink">{approval.reason}</p>
        )}
        {context === null ? null : (
          <section
            aria-label="Context"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key
            tabIndex={0}
            className="max-h-52 overflow-auto rounded-md border bg-page p-3 text-xs"
          >
            <pre className="font-mono">{context}</pre>
          </section>
        )}
        <p className="text-muted">
          Denied by itself in <Until atMs={Date.parse(approval.expiresAt)} />.
          {mayDecide ? "" : " Only people who may change things can answer."}
        </p>
      </div>
    </Dialog>
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
